import { MAX_ENDPOINTS } from '../../model/endpoint-set.ts';
import { discoveryError } from '../discovery-error.ts';
import type { Preference } from './client/members.ts';
import type { EtcdClient } from './client/etcd-client.ts';
import { EtcdRefusal, GrpcCode } from './client/refusal.ts';
import {
  decodeRange,
  encodeKey,
  type Header,
  type KeyValue,
  type RangeAnswer,
  rangeEndOf,
} from './client/wire.ts';

/** Keys per answer: small enough for the 4 MB that a message may have, unless values are larger than 3 kB. */
const PAGE_SIZE = 1_000;

export interface RangeQuestion {
  readonly prefix: string;
  /** Any member answers from what it knows, instead of asking the others first. */
  readonly serializable: boolean;
  readonly prefer?: Preference | undefined;
  readonly signal: AbortSignal;
}

export interface RangeReading {
  /** Of the first page: everything is as of its revision. */
  readonly header: Header;
  readonly keyValues: readonly KeyValue[];
  /** The member that answered last. */
  readonly slot: number;
}

/**
 * Reads all keys with a prefix, page by page, all pages as of the revision of the first and from the same member, unless
 * that fails. Pages become smaller when they are too large for a message.
 *
 * @throws EvenkeelError
 */
export async function readRange(
  client: EtcdClient,
  { prefix, serializable, prefer, signal }: RangeQuestion,
): Promise<RangeReading> {
  const end = encodeKey(rangeEndOf(prefix));
  const keyValues: KeyValue[] = [];
  let header: Header | undefined;
  let slot: number | undefined;
  let from = prefix;
  let limit = PAGE_SIZE;
  for (;;) {
    const body = {
      key: encodeKey(from),
      range_end: end,
      limit: String(limit),
      ...(serializable ? { serializable } : {}),
      ...(header === undefined ? {} : { revision: String(header.revision) }),
    };
    let page: RangeAnswer;
    try {
      const call = { path: '/v3/kv/range', body, signal };
      const answer = await client.call({
        ...call,
        prefer: slot === undefined ? prefer : { stickTo: slot },
      });
      slot = answer.slot;
      page = decodeRange(answer.fields);
    } catch (error) {
      if (!isTooLarge(error) || limit === 1) throw error;
      limit = Math.ceil(limit / 4);
      continue;
    }
    assertPage(page, { from, limit });
    header ??= page.header;
    for (const keyValue of page.keyValues) keyValues.push(keyValue);
    const last = page.keyValues.at(-1);
    if (!page.more || last === undefined) return { header, keyValues, slot };
    from = `${last.key}\0`;
  }
}

/** A server that does not heed the limit or the order could keep us reading for ever. */
function assertPage(
  { header, keyValues, count }: RangeAnswer,
  { from, limit }: { from: string; limit: number },
): void {
  if (header.revision <= 0n) throw discoveryError('the answer has no revision');
  if (count > MAX_ENDPOINTS) {
    throw discoveryError(`there are ${count} keys; at most ${MAX_ENDPOINTS} are allowed`);
  }
  const isInOrder = keyValues.every(
    ({ key }, index) => key >= from && (index === 0 || key > (keyValues[index - 1]?.key ?? '')),
  );
  if (keyValues.length > limit || !isInOrder) throw discoveryError('the answer has other keys');
}

function isTooLarge(error: unknown): boolean {
  return error instanceof EtcdRefusal && error.grpcCode === GrpcCode.resourceExhausted;
}
