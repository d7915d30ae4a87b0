/** Bytes of a tunnel on their way to the endpoint, as they come. */
import type { ClientConnection } from './client-connection.ts';
import type { EngineHost } from './host.ts';

/** @param bytes good until the call returns */
export function sendThrough(host: EngineHost, client: ClientConnection, bytes: Buffer): void {
  const { connection } = client.exchange;
  if (connection === undefined) return;
  client.account.bytesIn += bytes.length;
  connection.touch();
  const output = host.output.begin().copy(bytes, 0, bytes.length);
  if (!output.sendTo(connection.stream)) client.stream.pause();
}
