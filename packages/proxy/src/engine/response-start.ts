/** The beginning of a response: what filters make of its head, and how its body is framed for the client. */
import type { BodyFilter } from '../filter/filter.ts';
import { BodyKind, type BodyPump } from '../http1/body-pump.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Exchange } from './exchange.ts';
import { factsOfHead } from './filters/filtered-response.ts';
import { type BodySource, ResponseBody, type ResponseFraming } from './filters/response-body.ts';
import type { EngineHost } from './host.ts';
import { bodyKindOf, framingOf } from './response-framing.ts';
import { writeResponseHead } from './response-writer.ts';

/** Where a response comes from. */
export interface ResponseSource extends BodySource {
  readonly host: EngineHost;
  /** Takes its body off the connection. */
  readonly pump: BodyPump;
}

/** Puts the head into the output, or leaves it with the filters of the body, and makes the pump ready for the body. */
// oxlint-disable-next-line max-params -- per message: an object would be allocated
export function startResponse(
  source: ResponseSource,
  client: ClientConnection,
  head: ResponseHead,
  bytes: Buffer,
  isBodiless: boolean,
): void {
  const kind = bodyKindOf(head, isBodiless);
  const isDelimited = kind === BodyKind.none || kind === BodyKind.length;
  const rechunk = !isDelimited && client.minor === 1;
  // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
  if (!isDelimited && !rechunk) client.keepAlive = false;
  writeHead(source.host, client, head, bytes, framingOf(head, isBodiless, rechunk));
  source.pump.begin(kind, head.semantics.contentLength, rechunk);
}

/** The same for a request with filters. @returns false when one of them failed, and the client has its answer */
// oxlint-disable-next-line max-params -- as above
export function startFiltered(
  source: ResponseSource,
  exchange: Exchange,
  head: ResponseHead,
  bytes: Buffer,
  isBodiless: boolean,
): boolean {
  const { client } = exchange;
  const facts = factsOfHead(head, bytes, isBodiless || head.semantics.contentLength === 0);
  const responding = client.run?.respond(facts, exchange.isHead);
  const { replacement, bodies = [] } = responding ?? {};
  if (responding !== undefined && replacement !== undefined) {
    exchange.replace();
    client.replies.answerInstead(replacement, responding);
    return false;
  }
  if (bodies.length === 0) startResponse(source, client, head, bytes, isBodiless);
  else startBody(source, client, head, bytes, bodies);
  return true;
}

/** The head waits for the first bytes of the body that come out of the filters. */
// oxlint-disable-next-line max-params -- as above
function startBody(
  source: ResponseSource,
  client: ClientConnection,
  head: ResponseHead,
  bytes: Buffer,
  bodies: readonly BodyFilter[],
): void {
  const { host, pump } = source;
  const { contentLength: length } = head.semantics;
  const kind = bodyKindOf(head, false);
  const keepsLength =
    kind === BodyKind.length && bodies.every((filter) => filter.keepsLength === true);
  const framing: ResponseFraming = {
    kind: keepsLength ? 'length' : client.minor === 1 ? 'chunked' : 'close',
    length,
  };
  if (framing.kind === 'close') client.keepAlive = false;
  writeHead(host, client, head, bytes, framing.kind === 'close' ? 'none' : framing.kind);
  pump.begin(kind, length, false);
  const { output } = host;
  const ports = { owner: client, output, source };
  client.response = new ResponseBody(output.take(), bodies, framing, ports);
  output.begin();
}

// oxlint-disable-next-line max-params -- as above
function writeHead(
  { output, dateLine, counters }: EngineHost,
  client: ClientConnection,
  head: ResponseHead,
  bytes: Buffer,
  framing: 'none' | 'length' | 'chunked',
): void {
  // The rest of the request is not waited for.
  if (head.status >= 400 && !client.intake.isTaken) client.keepAlive = false;
  counters.countStatus(head.status);
  client.account.status = head.status;
  const { account, exchange } = client;
  writeResponseHead(output.begin(), head, bytes, {
    framing,
    connection: client.keepAlive ? (client.minor === 1 ? 'none' : 'keep-alive') : 'close',
    dateLine: dateLine.bytes,
    idLine: account.id.line,
    hopLines: account.hopLines(exchange.askedAtMs),
    traceHeader: account.traceHeader,
    edits: client.run?.request.responseEdits,
  });
}
