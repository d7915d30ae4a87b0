import { createEndpoint } from '../../model/endpoint.ts';
import { discoveryError } from '../discovery-error.ts';
import type { AddressBook } from './address-book.ts';
import type { QueryLimits } from './client.ts';
import type { DnsTarget } from './config.ts';
import type { LookOutcome } from './outcome.ts';

/**
 * One look for the A and AAAA records of a name: every address is an endpoint of weight 1.
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` when no server answers for any family
 */
export async function lookForHost(
  { name, port }: Extract<DnsTarget, { kind: 'host' }>,
  book: AddressBook,
  limits: QueryLimits,
): Promise<LookOutcome> {
  const { addresses, ttlSeconds, emptyReason, complaint, isStale } = await book.find(name, limits);
  if (isStale) throw discoveryError(complaint ?? 'no answer');
  if (emptyReason !== undefined) return { kind: 'empty', reason: emptyReason, ttlSeconds };
  const endpoints = addresses.map((host) => createEndpoint({ host, port, hostname: name }));
  return { kind: 'endpoints', endpoints, ttlSeconds, complaint };
}
