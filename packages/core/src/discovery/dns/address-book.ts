import { EvenkeelError, messageOf } from '../../error/evenkeel-error.ts';
import { discoveryError } from '../discovery-error.ts';
import type { DnsClient, QueryLimits } from './client.ts';
import { lookUp } from './look-up.ts';
import type { DnsRecord } from './message.ts';
import { RecordType } from './record-data.ts';

/** What is known about the addresses of one host after a look. */
export interface HostAddresses {
  readonly addresses: readonly string[];
  /** How long the answers hold: the positive ones if there are any, the negative ones otherwise. */
  readonly ttlSeconds: number | undefined;
  /** Why there are no addresses. */
  readonly emptyReason: 'NXDOMAIN' | 'NODATA' | undefined;
  /** What went wrong although there are addresses. */
  readonly complaint: string | undefined;
  /** No family was answered: the addresses are those of an earlier look. */
  readonly isStale: boolean;
}

/** Addresses that an earlier answer already brought: the additional section of an SRV answer. */
export type KnownAddresses = ReadonlyMap<4 | 6, readonly DnsRecord[]>;

/** The result for one family. */
type FamilyResult =
  | { readonly kind: 'found'; readonly addresses: readonly string[]; readonly ttlSeconds: number }
  | {
      readonly kind: 'empty';
      readonly reason: 'NXDOMAIN' | 'NODATA';
      readonly ttlSeconds: number | undefined;
    }
  | { readonly kind: 'failed'; readonly error: Error; readonly remembered: readonly string[] };

/**
 * Finds the addresses of host names and remembers them per family, because the two families fail apart: resolvers that
 * answer A and drop AAAA are common. The rules:
 *
 * | one family  | the other    | result                                                                    |
 * |-------------|--------------|---------------------------------------------------------------------------|
 * | found       | found, empty | what was found                                                            |
 * | found       | failed       | what was found, plus what the failed family had before, with a complaint  |
 * | empty       | failed       | what the failed family had before, with a complaint; otherwise a failure  |
 * | empty       | empty        | nothing, and why                                                          |
 * | failed      | failed       | what both had before, marked as stale; otherwise a failure                |
 */
export class AddressBook {
  readonly #client: Pick<DnsClient, 'query'>;
  readonly #families: readonly (4 | 6)[];
  /** Last good addresses by family and host. */
  readonly #remembered = new Map<string, readonly string[]>();

  constructor(client: Pick<DnsClient, 'query'>, families: readonly (4 | 6)[]) {
    this.#client = client;
    this.#families = families;
  }

  /** @throws EvenkeelError `EVENKEEL_DISCOVERY` when nothing is known, not even from before */
  async find(
    host: string,
    limits: QueryLimits,
    known: KnownAddresses = new Map(),
  ): Promise<HostAddresses> {
    const results = await Promise.all(
      this.#families.map((family) => this.#findFamily(host, family, { limits, known })),
    );
    return combine(results);
  }

  /** Forgets all hosts but these, so that the memory does not grow with every target that ever was. */
  retain(hosts: ReadonlySet<string>): void {
    for (const key of this.#remembered.keys()) {
      if (!hosts.has(key.slice(2))) this.#remembered.delete(key);
    }
  }

  async #findFamily(
    host: string,
    family: 4 | 6,
    { limits, known }: { limits: QueryLimits; known: KnownAddresses },
  ): Promise<FamilyResult> {
    const key = `${family} ${host}`;
    try {
      const given = known.get(family);
      const result = given === undefined ? await this.#ask(host, family, limits) : foundIn(given);
      if (result.kind === 'found') this.#remembered.set(key, result.addresses);
      else this.#remembered.delete(key);
      return result;
    } catch (error) {
      if (!(error instanceof EvenkeelError)) throw error;
      return { kind: 'failed', error, remembered: this.#remembered.get(key) ?? [] };
    }
  }

  async #ask(host: string, family: 4 | 6, limits: QueryLimits): Promise<FamilyResult> {
    const type = family === 4 ? RecordType.a : RecordType.aaaa;
    const { answer } = await lookUp(this.#client, { name: host, type }, limits);
    return answer.kind === 'empty' ? answer : foundIn(answer.records, answer.ttlSeconds);
  }
}

function foundIn(
  records: readonly DnsRecord[],
  chainTtlSeconds: number = Number.POSITIVE_INFINITY,
): FamilyResult {
  const addresses = new Set<string>();
  let ttlSeconds = chainTtlSeconds;
  for (const record of records) {
    ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds);
    // "This host" (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2): blocklists answer so. No place to connect to.
    const { data } = record;
    if (data.type === 'address' && !UNSPECIFIED.has(data.address)) addresses.add(data.address);
  }
  return addresses.size > 0
    ? { kind: 'found', addresses: [...addresses], ttlSeconds }
    : { kind: 'empty', reason: 'NODATA', ttlSeconds };
}

const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '0:0:0:0:0:0:0:0']);

function combine(results: readonly FamilyResult[]): HostAddresses {
  const addresses: string[] = [];
  const problems: string[] = [];
  let emptyReason: 'NXDOMAIN' | 'NODATA' | undefined;
  let positiveTtl: number | undefined;
  let negativeTtl: number | undefined;
  for (const result of results) {
    switch (result.kind) {
      case 'found':
        addresses.push(...result.addresses);
        positiveTtl = Math.min(positiveTtl ?? result.ttlSeconds, result.ttlSeconds);
        break;
      case 'empty':
        emptyReason = emptyReason === 'NODATA' ? 'NODATA' : result.reason;
        if (result.ttlSeconds !== undefined) {
          negativeTtl = Math.min(negativeTtl ?? result.ttlSeconds, result.ttlSeconds);
        }
        break;
      case 'failed':
        addresses.push(...result.remembered);
        problems.push(messageOf(result.error));
        break;
    }
  }
  const complaint = problems.length > 0 ? problems.join('; ') : undefined;
  if (addresses.length === 0 && complaint !== undefined) throw discoveryError(complaint);
  return {
    addresses,
    ttlSeconds: positiveTtl ?? negativeTtl,
    emptyReason: addresses.length === 0 ? (emptyReason ?? 'NODATA') : undefined,
    complaint,
    isStale: problems.length === results.length,
  };
}
