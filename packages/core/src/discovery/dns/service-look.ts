import { messageOf } from '../../error/evenkeel-error.ts';
import { createEndpoint, type Endpoint, MAX_PRIORITY } from '../../model/endpoint.ts';
import { MAX_ENDPOINTS } from '../../model/endpoint-set.ts';
import { discoveryError } from '../discovery-error.ts';
import type { AddressBook, HostAddresses, KnownAddresses } from './address-book.ts';
import type { DnsClient, QueryLimits } from './client.ts';
import { lookUp } from './look-up.ts';
import { mapLimited } from './map-limited.ts';
import type { DnsMessage, DnsRecord } from './message.ts';
import { isPlainName } from './name.ts';
import type { LookOutcome } from './outcome.ts';
import { RecordType, type ServiceData } from './record-data.ts';
import { endpointWeights } from './service-weights.ts';

/** Different targets of one service; more would mean thousands of address queries per look. */
const MAX_TARGETS = 1_024;
/** Hosts asked for at once, each with a query per family. */
const MAX_PARALLEL_HOSTS = 4;

interface ServiceLook {
  readonly client: Pick<DnsClient, 'query'>;
  readonly book: AddressBook;
  readonly limits: QueryLimits;
}

/** What is known about a target: its addresses, or why there are none. */
type TargetAddresses = HostAddresses | { readonly failure: string };

/**
 * One look for the SRV records of a service (RFC 2782) and the addresses of their targets, which are taken from the
 * additional section where it has them.
 *
 * SRV priorities become the endpoint priorities 0, 1, 2 ... in their order: only the order has a meaning in RFC 2782, and
 * dense numbers stay within our range.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` when servers fail, or every record is unusable
 */
export async function lookForService(service: string, look: ServiceLook): Promise<LookOutcome> {
  const question = { name: service, type: RecordType.srv };
  const { message, answer } = await lookUp(look.client, question, look.limits);
  if (answer.kind === 'empty') return { ...answer };

  const { usable, complaints } = sortOut(answer.records);
  if (usable.length === 0) {
    const { ttlSeconds } = answer;
    // RFC 2782: a target of "." says that the service is decidedly not available at this domain.
    if (complaints.length === 0)
      return { kind: 'empty', reason: 'the service is declared as not available', ttlSeconds };
    throw discoveryError(complaints.join('; '));
  }
  const targets = [...new Set(usable.map(({ target }) => target))];
  if (targets.length > MAX_TARGETS) {
    throw discoveryError(`${targets.length} SRV targets, at most ${MAX_TARGETS} are allowed`);
  }
  const found = await findTargets(targets, message, look);
  return combine(usable, found, { ttlSeconds: answer.ttlSeconds, complaints });
}

function sortOut(records: readonly DnsRecord[]): { usable: ServiceData[]; complaints: string[] } {
  const usable: ServiceData[] = [];
  const complaints: string[] = [];
  for (const { data } of records) {
    if (data.type !== 'service' || data.target === '') continue;
    if (data.port === 0) complaints.push(`SRV target ${data.target} has port 0`);
    else if (!isPlainName(data.target))
      complaints.push(`SRV target ${data.target} is no host name`);
    else usable.push(data);
  }
  // The order of records in an answer changes from look to look; the order of endpoints should not.
  usable.sort(
    (a, b) => a.priority - b.priority || compareText(a.target, b.target) || a.port - b.port,
  );
  return { usable, complaints };
}

async function findTargets(
  targets: readonly string[],
  message: DnsMessage,
  { book, limits }: ServiceLook,
): Promise<Map<string, TargetAddresses>> {
  book.retain(new Set(targets));
  const known = additionalAddresses(message);
  const found = await mapLimited(
    targets,
    MAX_PARALLEL_HOSTS,
    async (target): Promise<TargetAddresses> => {
      try {
        return await book.find(target, limits, known.get(target));
      } catch (error) {
        return { failure: messageOf(error) };
      }
    },
  );
  return new Map(targets.map((target, index) => [target, found[index] as TargetAddresses]));
}

function additionalAddresses({ additionals }: DnsMessage): Map<string, KnownAddresses> {
  const known = new Map<string, Map<4 | 6, DnsRecord[]>>();
  for (const record of additionals) {
    if (record.data.type !== 'address') continue;
    const families = known.get(record.name) ?? new Map<4 | 6, DnsRecord[]>();
    known.set(record.name, families);
    const records = families.get(record.data.family);
    if (records === undefined) families.set(record.data.family, [record]);
    else records.push(record);
  }
  return known;
}

interface Gathered {
  readonly ttlSeconds: number;
  readonly complaints: readonly string[];
}

function combine(
  records: readonly ServiceData[],
  found: ReadonlyMap<string, TargetAddresses>,
  gathered: Gathered,
): LookOutcome {
  const complaints = [...gathered.complaints];
  let { ttlSeconds } = gathered;
  let isAnswered = false;
  let hasFailed = false;
  const addressesOf = new Map<string, readonly string[]>();
  for (const [target, result] of found) {
    if ('failure' in result) {
      hasFailed = true;
      complaints.push(result.failure);
      continue;
    }
    if (!result.isStale) isAnswered = true;
    if (result.complaint !== undefined) complaints.push(result.complaint);
    if (result.emptyReason !== undefined)
      complaints.push(`SRV target ${target}: ${result.emptyReason}`);
    ttlSeconds = Math.min(ttlSeconds, result.ttlSeconds ?? ttlSeconds);
    addressesOf.set(target, result.addresses);
  }
  const complaint = complaints.length > 0 ? complaints.slice(0, 10).join('; ') : undefined;
  // Then nothing is new but the SRV records, and the last good set, made of the same addresses, stays in force.
  if (!isAnswered) throw discoveryError(complaint ?? 'no answer for any target');
  const endpoints = endpointsOf(records, addressesOf);
  if (endpoints.length > 0) return { kind: 'endpoints', endpoints, ttlSeconds, complaint };
  if (hasFailed) throw discoveryError(complaint ?? 'no target has an address');
  return { kind: 'empty', reason: complaint ?? 'no target has an address', ttlSeconds };
}

/** @param records in order of priority */
function endpointsOf(
  records: readonly ServiceData[],
  addressesOf: ReadonlyMap<string, readonly string[]>,
): Endpoint[] {
  const located = records
    .map((record) => ({ ...record, addresses: addressesOf.get(record.target) ?? [] }))
    .filter(({ addresses }) => addresses.length > 0);
  const count = located.reduce((sum, { addresses }) => sum + addresses.length, 0);
  if (count > MAX_ENDPOINTS) {
    throw discoveryError(`${count} endpoints, at most ${MAX_ENDPOINTS} are allowed`);
  }
  const groups = [...Map.groupBy(located, ({ priority }) => priority).values()];
  return groups.flatMap((group, rank) => {
    const priority = Math.min(rank, MAX_PRIORITY);
    const weights = endpointWeights(
      group.map(({ weight, addresses }) => ({ weight, addressCount: addresses.length })),
    );
    return group.flatMap(({ addresses, port, target }, index) => {
      const weight = weights[index] as number;
      return addresses.map((host) =>
        createEndpoint({ host, port, priority, weight, hostname: target }),
      );
    });
  });
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
