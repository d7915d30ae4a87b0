/** Answers of the proxy's own, on their way through the filters of the request to the client. */
import type { ClientConnection } from './client-connection.ts';
import { factsOfAnswer } from './filters/filtered-response.ts';
import type { Responding } from './filters/filter-run.ts';
import { ResponseBody } from './filters/response-body.ts';
import type { EngineHost } from './host.ts';
import { type LocalAnswer, plainAnswer } from './local-answer.ts';
import { isRefusal, type Refusal } from './refusal.ts';

const LAST_CHUNK = Buffer.from('0\r\n\r\n');

export class LocalReplies {
  readonly #host: EngineHost;
  readonly #client: ClientConnection;

  constructor(host: EngineHost, client: ClientConnection) {
    this.#host = host;
    this.#client = client;
  }

  /** Refuses from here. */
  reply(status: number, closes: boolean, reason: Refusal): void {
    this.#note(reason);
    this.answer(plainAnswer(status), closes);
  }

  /** A message that breaks a rule, or does not come: nothing after it can be trusted. */
  refuse(status: number): void {
    const { account } = this.#client;
    this.#host.counters.badRequestCount++;
    if (!account.isOpen) account.open(undefined);
    this.refuseBody(status, status === 408 ? 'request-timeout' : 'bad-request');
  }

  /** The rest of the request is not wanted. @param reason a word of a filter, or why else */
  refuseBody(status: number, reason: string): void {
    const { exchange } = this.#client;
    if (exchange.answered) {
      this.#client.cutOff();
      return;
    }
    exchange.abort();
    if (isRefusal(reason)) this.#note(reason);
    else this.#noteFilter(reason);
    this.answer(plainAnswer(status), true);
  }

  /** A filter has the answer. @param reason its word for it */
  answerOfFilter(answer: LocalAnswer, reason: string): void {
    this.#noteFilter(reason);
    this.answer(answer, false);
  }

  answer(answer: LocalAnswer, closes: boolean): void {
    const reply = this.#replyOf(answer, closes);
    if (sendReply(this.#host, this.#client, reply)) this.#client.responseDone();
  }

  /** A filter failed over the response of an endpoint. */
  answerInstead(answer: LocalAnswer, responding: Responding): void {
    this.#note('filter-failed');
    const reply = this.#replyOf(answer, false);
    if (sendFiltered(this.#host, this.#client, reply, responding)) this.#client.responseDone();
  }

  #replyOf(answer: LocalAnswer, closes: boolean): Reply {
    const { exchange } = this.#client;
    return { answer, closes: this.#client.beginReply(closes), isHead: exchange.isHead };
  }

  #note(reason: Refusal): void {
    this.#host.counters.refusals[reason]++;
    this.#client.account.reason = reason;
  }

  #noteFilter(reason: string): void {
    this.#host.counters.countFilterAnswer(reason);
    this.#client.account.reason = reason;
  }
}

interface Reply {
  readonly answer: LocalAnswer;
  /** Does the connection end with it? */
  readonly closes: boolean;
  readonly isHead: boolean;
}

/** @returns is all of it sent? If not, the body has filters, and tells of its end by itself */
function sendReply(host: EngineHost, client: ClientConnection, reply: Reply): boolean {
  const { run } = client;
  const { answer, closes, isHead } = reply;
  if (run !== undefined)
    return sendFiltered(host, client, reply, run.respond(factsOfAnswer(answer, isHead), isHead));
  const { line } = client.account.id;
  const hopLines = client.account.hopLines();
  const lines = hopLines.length === 0 ? line : Buffer.concat([line, hopLines]);
  const bytes = answer.bytesWith(lines, closes, isHead);
  note(host, client, answer.status);
  client.account.bytesOut += bytes.length;
  client.stream.write(bytes);
  return true;
}

function note({ counters }: EngineHost, { account }: ClientConnection, status: number): void {
  counters.localReplyCount++;
  counters.countStatus(status);
  account.status = status;
}

/** The same after the filters have seen it. */
// oxlint-disable-next-line max-params -- the reply, and what its filters say
function sendFiltered(
  host: EngineHost,
  client: ClientConnection,
  { answer: given, closes, isHead }: Reply,
  { replacement, bodies }: Pick<Responding, 'replacement' | 'bodies'>,
): boolean {
  const { account, minor } = client;
  const answer = replacement ?? given;
  note(host, client, answer.status);
  const output = host.output.begin();
  const isFiltered = bodies.length > 0;
  const kind = minor === 0 ? 'close' : 'chunked';
  answer.writeHead(output, {
    idLine: account.id.line,
    hopLines: account.hopLines(),
    closes,
    edits: client.run?.request.responseEdits,
    framing: !isFiltered ? 'length' : kind === 'close' ? 'none' : 'chunked',
  });
  if (!isFiltered) {
    if (!isHead) output.copy(answer.body, 0, answer.body.length);
    account.bytesOut += output.length;
    output.sendTo(client.stream);
    return true;
  }
  const ports = { owner: client, output, source: undefined };
  const body = new ResponseBody(output.take(), bodies, { kind, length: 0 }, ports);
  client.response = body;
  body.take(Buffer.from(answer.body), LAST_CHUNK);
  return false;
}
