/**
 * The contract of a policy: a named algorithm that chooses one of a cluster's eligible endpoints.
 *
 * ```text
 * options --schema--> config --create(config, environment)--> balancer --update(members)--> picker --pick--> slot
 * ```
 *
 * - A **picker** is a pure, synchronous choice over one immutable set of members, the load table, the time passed in
 *   and the random port. It does not log, throw or allocate.
 * - A **balancer** lives as long as the cluster and carries state over membership changes. The optional hooks feed it;
 *   a policy that does not need one leaves it out and pays nothing for it.
 */
import type { z } from 'zod';
import type { LoadReport } from '../load-report/load-report.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { LoadTable } from '../model/load-table.ts';
import type { Members } from '../model/members.ts';
import type { Outcome } from '../model/outcome.ts';
import type { PickContext } from '../model/pick-context.ts';
import type { Random } from '../runtime/random.ts';
import type { ProberFactory } from './probing.ts';

/** Chooses over one set of members. Replaced whole when the members change. */
export interface Picker {
  /**
   * @param nowMs the time on the cluster's clock
   * @returns the slot of a member that the context does not exclude, or `NO_SLOT`
   */
  pick(context: PickContext, nowMs: number): number;
  /** How each member stands for this context, best first. Changes nothing: the next pick is the same as without it. */
  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[];
}

/** How one member stands in a pick. */
export interface CandidateExplanation {
  readonly slot: number;
  /** The number that the policy compares (cost, load, distance), where it has one; lower is better. */
  readonly score?: number;
  /**
   * Share 0..1 of the picks that this member takes, where it can be told: of picks like this one, or, under a keyed
   * policy, of all keys.
   */
  readonly shareRatio?: number;
  /** One clause for a human: "2 in flight, 12.1 ms average". */
  readonly reason: string;
}

/**
 * A live policy. It serves one group of members, or with topology several groups of the same endpoints (priorities,
 * zones, subsets), each with a picker of its own. What is learned about endpoints is the balancer's and all groups see
 * it; what belongs to a group (whose turn it is, a table over its members) lives in its picker.
 */
export interface Balancer {
  /**
   * Takes the members of a group and returns the picker for them. State of endpoints that stay is kept.
   *
   * @param earlier the picker that this balancer returned for the same group before, which is about to be replaced: what
   *   belongs to the group is taken over from it. Left out: the group is new. A group that ends is not announced; its
   *   picker is just dropped.
   */
  update(members: Members, earlier?: Picker): Picker;
  /** A request was sent to a slot. */
  onStart?(slot: number, nowMs: number): void;
  /** The first byte of a good answer arrived, `latencyMs` after the start. At most once per request. */
  onResponse?(slot: number, latencyMs: number, nowMs: number): void;
  /**
   * A request ended. `latencyMs` is the time since its start, or `RESPONDED` when `onResponse` has reported it.
   * Four parameters: an options object would be an allocation per request.
   */
  onFinish?(slot: number, outcome: Outcome, latencyMs: number, nowMs: number): void;
  /** The endpoint asked to be left alone for `delayMs` (Retry-After). */
  onPushback?(slot: number, delayMs: number, nowMs: number): void;
  /** The endpoint told its load with an answer (ORCA). Before `onFinish` of that request. */
  onLoadReport?(slot: number, report: LoadReport, nowMs: number): void;
  /** Counts and levels of its own by name, in camelCase, for snapshots and metrics. Names ending in `Count` only grow. */
  stats?(): PolicyStats;
  /** Releases columns of the load table. Idempotent. */
  close?(): void;
}

/** Numbers of a policy by name. */
export type PolicyStats = Readonly<Record<string, number>>;

/** What a balancer may use. */
export interface PolicyEnvironment {
  readonly load: LoadTable;
  readonly random: Random;
  /** Makes what asks endpoints for their load. Left out: nobody can be asked. Whoever makes a prober closes it. */
  readonly createProber?: ProberFactory | undefined;
  /** Builds the balancer of another policy, for policies that wrap one. @throws ConfigError */
  createChild(options: PolicyOptions): ChildBalancer;
}

/** A wrapped balancer with what its wrapper must know of it. */
export interface ChildBalancer {
  readonly balancer: Balancer;
  readonly keyed: boolean;
}

/** A name, or a name with the policy's own options. */
export type PolicyOptions =
  string | ({ readonly name: string } & Readonly<Record<string, unknown>>);

/** A policy that can be named in a configuration. */
export interface Policy<Config = unknown> {
  /** Stable name, kebab-case. */
  readonly name: string;
  /** Does `hashKey` decide? Endpoints of keyed policies come back from ejection by time, unless told otherwise. */
  readonly keyed: boolean;
  /** Checks the options besides `name`. Left out: the policy takes none. */
  readonly schema?: z.ZodType<Config>;
  create(config: Config, environment: PolicyEnvironment): Balancer;
}

/** Types a policy of one's own; returns it as it is. */
export function definePolicy<Config>(policy: Policy<Config>): Policy<Config> {
  return policy;
}

/** A member named for humans. */
export function nameOf(endpoint: Endpoint | undefined): string {
  return endpoint?.id ?? 'unknown';
}
