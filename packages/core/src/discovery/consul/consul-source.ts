import { createHash } from 'node:crypto';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { discoveryError } from '../discovery-error.ts';
import {
  type Look,
  type Reading,
  type RegistrySource,
  UNCHANGED,
} from '../registry/registry-source.ts';
import type { SourceIdentity } from '../source-report.ts';
import { parseIndex } from './block-index.ts';
import type { ConsulConfig, ConsulConsistency } from './config.ts';
import { type DecodedEntries, decodeEntries } from './health-entry.ts';
import type { ConsulClient } from './http/consul-client.ts';
import type { HttpAnswer } from '../http/http-port.ts';

/** An answer is late when a watch has taken longer than this; see {@link silenceOf}. */
const WAIT_FACTOR = 1.1;
const WAIT_GRACE_MS = 5_000;

/**
 * Longest silence of a watch. Consul adds up to a sixteenth to the wait (6.25 %), to spread the return of its clients;
 * the rest is for the way and for a server that is busy.
 */
export function silenceOf(waitMs: number): number {
  return waitMs * WAIT_FACTOR + WAIT_GRACE_MS;
}

/**
 * A service of Consul, watched with blocking queries on its health endpoint. The position is the index of the answer.
 *
 * | index of the next answer            | what it means                                        | what happens                            |
 * |-------------------------------------|------------------------------------------------------|-----------------------------------------|
 * | the same, and the same answer       | nothing changed                                      | sign of life; the body is not decoded   |
 * | the same, and another answer        | the token sees less, or more; a leader is lost       | taken                                   |
 * | higher                              | something changed, maybe not for us                  | taken, and waited from                  |
 * | lower                               | data restored or lost, or a server that lags behind  | asked again, of the leader              |
 * | missing, 0, no number, over 64 bits | a proxy that drops headers, or worse                 | taken; polled instead of watched        |
 */
export class ConsulServiceSource implements RegistrySource<bigint> {
  readonly identity: SourceIdentity;
  readonly subject: string;
  readonly #config: ConsulConfig;
  readonly #client: ConsulClient;
  readonly #clock: Clock;
  /** Of the answer that was decoded last. */
  #fingerprint: string | undefined;

  constructor(config: ConsulConfig, client: ConsulClient, clock: Clock) {
    this.#config = config;
    this.#client = client;
    this.#clock = clock;
    this.subject = describeSubject(config);
    this.identity = {
      kind: 'consul',
      source: `${this.subject} at ${config.connection.address}`,
    };
  }

  async read(look: Look): Promise<Reading<bigint>> {
    const answer = await this.#ask(look, undefined);
    return this.#readingOf(answer);
  }

  async watch(position: bigint, look: Look): Promise<Reading<bigint> | typeof UNCHANGED> {
    const answer = await this.#ask(look, position);
    const index = parseIndex(answer.headers['x-consul-index']);
    // ACLs filter an answer without a trace in its index, and a leader is lost without one: that shows only here.
    if (index === position && fingerprintOf(answer) === this.#fingerprint) return UNCHANGED;
    if (index !== undefined && index < position) return this.read({ ...look, careful: true });
    return this.#readingOf(answer);
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  #ask(look: Look, index: bigint | undefined): Promise<HttpAnswer> {
    const { subject, datacenter, tags, filter, peer, rules, waitMs } = this.#config;
    return this.#client.call({
      path: `/v1/health/service/${encodeURIComponent(subject.name)}`,
      query: [
        ...(index === undefined
          ? []
          : ([
              ['index', String(index)],
              ['wait', `${Math.round(waitMs)}ms`],
            ] as const)),
        ...consistencyQuery(look.careful ? 'consistent' : this.#config.consistency),
        ['dc', datacenter],
        ...tags.map((tag) => ['tag', tag] as const),
        ['filter', filter],
        ['peer', peer],
        ['passing', rules.accept === 'passing' ? '' : undefined],
      ],
      timeoutMs: index === undefined ? undefined : silenceOf(waitMs),
      signal: look.signal,
    });
  }

  #readingOf(answer: HttpAnswer): Reading<bigint> {
    const startMs = this.#clock.nowMs();
    const position = parseIndex(answer.headers['x-consul-index']);
    const { endpoints, complaint } = entriesOf(parseJson(answer), this.#config);
    this.#fingerprint = fingerprintOf(answer);
    return {
      endpoints,
      position,
      busyMs: this.#clock.nowMs() - startMs,
      complaint: joined([
        complaint,
        position === undefined ? 'the answer has no usable index: polling' : undefined,
        ...caveatsOf(answer),
      ]),
    };
  }
}

/** A prepared query, which decides by itself about filters and failover. It cannot be waited on. */
export class ConsulQuerySource implements RegistrySource<never> {
  readonly identity: SourceIdentity;
  readonly subject: string;
  readonly #config: ConsulConfig;
  readonly #client: ConsulClient;
  readonly #clock: Clock;

  constructor(config: ConsulConfig, client: ConsulClient, clock: Clock) {
    this.#config = config;
    this.#client = client;
    this.#clock = clock;
    this.subject = describeSubject(config);
    this.identity = {
      kind: 'consul',
      source: `${this.subject} at ${config.connection.address}`,
    };
  }

  async read({ signal, careful }: Look): Promise<Reading<never>> {
    const { subject, datacenter, consistency } = this.#config;
    const answer = await this.#client.call({
      path: `/v1/query/${encodeURIComponent(subject.name)}/execute`,
      query: [['dc', datacenter], ...consistencyQuery(careful ? 'consistent' : consistency)],
      signal,
    });
    const startMs = this.#clock.nowMs();
    const body = parseJson(answer);
    const nodes: unknown =
      typeof body === 'object' && body !== null ? (body as { Nodes?: unknown }).Nodes : undefined;
    const { endpoints, complaint } = entriesOf(nodes, this.#config);
    return {
      endpoints,
      position: undefined,
      busyMs: this.#clock.nowMs() - startMs,
      complaint: joined([complaint, ...caveatsOf(answer)]),
    };
  }

  /** Never called: no reading has a position. */
  watch(): Promise<typeof UNCHANGED> {
    return Promise.resolve(UNCHANGED);
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}

function describeSubject({
  subject,
  datacenter,
  connection,
  tags,
  filter,
  peer,
}: ConsulConfig): string {
  const { namespace, partition } = connection;
  return [
    subject.kind === 'service' ? subject.name : `query ${subject.name}`,
    ...Object.entries({ datacenter, namespace, partition, peer })
      .filter(([, value]) => value !== undefined)
      .map(([what, value]) => `${what} ${value}`),
    ...tags.map((tag) => `tag ${tag}`),
    ...(filter === undefined ? [] : [`filter ${filter}`]),
  ].join(' ');
}

function consistencyQuery(consistency: ConsulConsistency): [name: string, value: string][] {
  return consistency === 'default' ? [] : [[consistency, '']];
}

/** Tells answers under one index apart. Not against an adversary, who could send anything anyway: SHA-1 is fast. */
function fingerprintOf(answer: HttpAnswer): string {
  const caveats = caveatsOf(answer).filter((caveat) => caveat !== undefined);
  return [createHash('sha1').update(answer.body).digest('base64'), ...caveats].join('; ');
}

function parseJson({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw discoveryError(`the answer is no JSON: ${messageOf(error).slice(0, 200)}`, error);
  }
}

function entriesOf(raw: unknown, { rules }: ConsulConfig): DecodedEntries {
  return decodeEntries(raw, rules);
}

/** What the headers say about how far an answer may be trusted. Without numbers: a new text would be a new complaint. */
function caveatsOf({ headers }: HttpAnswer): (string | undefined)[] {
  return [
    headers['x-consul-knownleader'] === 'false'
      ? 'the server knows no leader: the answer may be old'
      : undefined,
    headers['x-consul-results-filtered-by-acls'] === 'true'
      ? 'the ACL token does not show everything'
      : undefined,
  ];
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  const given = parts.filter((part) => part !== undefined);
  return given.length === 0 ? undefined : given.join('; ');
}
