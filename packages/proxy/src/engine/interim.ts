/** Responses before the final one, and the one that switches protocols (RFC 9110 section 15.2). */
import { Field } from '../http1/known-field.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ClientConnection } from './client-connection.ts';
import type { EngineHost } from './host.ts';
import { protocolsOf } from './request-kind.ts';
import type { Requester } from './requester.ts';
import { writeInformational, writeSwitching } from './response-writer.ts';

/**
 * Only if it was asked for, after the whole request (its body would be bytes of the other protocol), and to one of the
 * protocols that were asked for. RFC 9110 section 7.8.
 */
export function mayBeSwitched(requester: Requester, head: ResponseHead, bytes: Buffer): boolean {
  const { isUpgrade, client, requestDone } = requester;
  if (!isUpgrade || client === undefined || !requestDone) return false;
  return (
    head.fields.countOf(Field.upgrade) === 1 &&
    client.exchange.kind.protocols.includes(protocolsOf(head, bytes))
  );
}

// oxlint-disable-next-line max-params -- the message, and where it goes
export function sendInterim(
  { output }: EngineHost,
  client: ClientConnection,
  head: ResponseHead,
  bytes: Buffer,
): void {
  // HTTP/1.0 has none.
  if (client.minor === 0) return;
  writeInformational(output.begin(), head, bytes);
  client.account.bytesOut += output.length;
  output.sendTo(client.stream);
}

/** What comes from now on passes as it is. */
// oxlint-disable-next-line max-params -- as above
export function sendSwitching(
  { output, counters }: EngineHost,
  client: ClientConnection,
  head: ResponseHead,
  bytes: Buffer,
): void {
  counters.tunnelCount++;
  writeSwitching(output.begin(), head, bytes);
  client.account.status = 101;
  client.account.bytesOut += output.length;
  output.sendTo(client.stream);
  client.switchProtocol();
}
