import { HealthFlag, NEVER_ELIGIBLE } from '../model/health-state.ts';
import { type Members, NO_MEMBERS } from '../model/members.ts';
import type { Balancer, Picker } from '../policy/policy.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { isPanic, isPresumedHealthy } from '../topology/panic.ts';
import type { Member } from './member.ts';

/** What is published in one swap: who may be picked, and the picker over them. */
export interface Publication {
  readonly members: Members;
  readonly picker: Picker;
  readonly panic: boolean;
  readonly healthyCount: number;
  /** Members that could take traffic if they were healthy: not draining, not disabled, weight above 0. */
  readonly candidateCount: number;
}

export interface PublisherOptions {
  readonly runtime: Runtime;
  readonly balancer: Balancer;
  readonly panicThresholdPercent: number;
  readonly members: () => Iterable<Member>;
  readonly onPublished: (publication: Publication, previous: Publication) => void;
}

/**
 * After a publication that took d ms the next one waits 10 d: a storm of health changes on a large cluster with an
 * expensive table costs at most about a tenth of the CPU.
 */
const REST_FACTOR = 10;

/** Turns the members and their health into what pickers see. Changes in one turn make one publication. */
export class Publisher {
  readonly #options: PublisherOptions;
  #current: Publication;
  #version = 0;
  #pending = false;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#current = {
      members: NO_MEMBERS,
      picker: options.balancer.update(NO_MEMBERS),
      panic: false,
      healthyCount: 0,
      candidateCount: 0,
    };
  }

  get current(): Publication {
    return this.#current;
  }

  /** Publishes soon: with everything else that changes in this turn, and not too often. */
  request(): void {
    if (this.#pending || this.#closed) return;
    this.#pending = true;
    const { clock, scheduler } = this.#options.runtime;
    const restMs = this.#restUntilMs - clock.nowMs();
    const run = (): void => {
      if (this.#pending) this.publish();
    };
    if (restMs > 0) scheduler.after(restMs, run);
    else scheduler.soon(run);
  }

  /** Publishes at once. */
  publish(): void {
    if (this.#closed) return;
    this.#pending = false;
    const { clock } = this.#options.runtime;
    const startedAtMs = clock.nowMs();
    const previous = this.#current;
    this.#current = this.#build();
    const nowMs = clock.nowMs();
    this.#restUntilMs = nowMs + (nowMs - startedAtMs) * REST_FACTOR;
    this.#options.onPublished(this.#current, previous);
  }

  close(): void {
    this.#closed = true;
    this.#pending = false;
  }

  #build(): Publication {
    const { balancer, panicThresholdPercent } = this.#options;
    const candidates: Member[] = [];
    let healthyCount = 0;
    let presumedHealthyCount = 0;
    for (const member of this.#options.members()) {
      if ((member.flags & NEVER_ELIGIBLE) !== 0 || member.endpoint.weight === 0) continue;
      candidates.push(member);
      if (member.flags === 0) healthyCount++;
      if (isPresumedHealthy(member.flags)) presumedHealthyCount++;
    }
    const panic = isPanic(presumedHealthyCount, candidates.length, panicThresholdPercent);
    const eligible = panic ? candidates : candidates.filter((member) => member.flags === 0);
    const members = membersOf(eligible, ++this.#version);
    return {
      members,
      picker: balancer.update(members),
      panic,
      healthyCount,
      candidateCount: candidates.length,
    };
  }
}

function membersOf(eligible: readonly Member[], version: number): Members {
  const slots = new Int32Array(eligible.length);
  const weights = new Float64Array(eligible.length);
  const endpoints = eligible.map((member, index) => {
    slots[index] = member.slot;
    weights[index] = member.endpoint.weight;
    return member.endpoint;
  });
  return { version, slots, weights, endpoints };
}

/** May this member be offered as the trial of an ejected endpoint: is ejection all that stands against it? */
export function isTrialCandidate(member: Member | undefined): boolean {
  return member !== undefined && member.flags === HealthFlag.ejected && member.endpoint.weight > 0;
}
