/** A request on its way in: its route, its filters, its head for the endpoint, and its body. */
import { type BodyFilter, BodyRefusal } from '../filter/filter.ts';
import { BodyKind, bodyKindOf, BodyPump } from '../http1/body-pump.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { problemOf } from '../http1/verdict.ts';
import type { Output } from '../socket/output.ts';
import type { Timer } from '@evenkeel/core';
import { choose } from './choice.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Exchange } from './exchange.ts';
import { FilteredRequest } from './filters/filtered-request.ts';
import { FilterRun, type Verdict } from './filters/filter-run.ts';
import { RequestBody, type RequestBodyOwner } from './filters/request-body.ts';
import type { EngineHost } from './host.ts';
import { KeptHead } from './kept-head.ts';
import { lastStopOf, OPTIONS_ANSWER } from './last-stop.ts';
import { RequestBuffer } from './request-buffer.ts';
import { writeRequestHead } from './request-writer.ts';
import type { Route, RouteRequest, Target } from './route.ts';

const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
const NO_BYTES = Buffer.alloc(0);

export class RequestIntake implements RequestBodyOwner {
  readonly #host: EngineHost;
  readonly #client: ClientConnection;
  readonly #exchange: Exchange;
  readonly #pump = new BodyPump();
  /** The head of the request at hand, and the bytes that it is in: those of a read, or a copy. */
  #head: RequestHead;
  #bytes: Buffer = NO_BYTES;
  #route: Route | undefined = undefined;
  #run: FilterRun | undefined = undefined;
  #body: RequestBody | undefined = undefined;
  /** Of a request that stays while its filters take their time. */
  #kept: KeptHead | undefined = undefined;
  #delay: Timer | undefined = undefined;
  /** Do the body's bytes come from what was held meanwhile, and not from a read? */
  #isLate = false;
  /** Where the body is gathered, on routes that have it whole before an endpoint is asked. */
  #buffer: RequestBuffer | undefined = undefined;

  constructor(host: EngineHost, client: ClientConnection, exchange: Exchange) {
    this.#host = host;
    this.#client = client;
    this.#exchange = exchange;
    this.#head = host.requestHead;
  }

  /** Bytes of its body so far, framing not counted. */
  get bodyByteCount(): number {
    return this.#pump.byteCount;
  }

  /** Has the whole request been taken off the connection? */
  get isTaken(): boolean {
    return this.#pump.done;
  }

  /** Has the whole request been handed on, too? */
  get isDone(): boolean {
    return this.#pump.done && (this.#body === undefined || this.#body.done);
  }

  /** Does a filter take its time with the body? */
  get awaitsFilter(): boolean {
    return this.#body?.busy === true;
  }

  /** Of the request at hand. */
  get run(): FilterRun | undefined {
    return this.#run;
  }

  /** A head is complete, and some of its body may be there. @returns where what was used up ends */
  begin(head: RequestHead, bytes: Buffer, to: number): number {
    const { counters, view, routes, loops } = this.#host;
    counters.requestCount++;
    const { chunked, contentLength } = head.semantics;
    this.#pump.begin(bodyKindOf(chunked, contentLength), contentLength, chunked);
    this.#head = head;
    this.#bytes = bytes;
    this.#exchange.kind.read(head, bytes);
    const client = this.#client;
    const { account } = client;
    const request = view.show(bytes, client.identity);
    account.open(request);
    account.bytesIn += head.end - head.from;
    const stop = lastStopOf(head, bytes, loops);
    if (stop !== undefined) {
      const at = stop.closes ? to : this.#skip(bytes, head.end, to);
      if (stop.reason === undefined) client.replies.answer(OPTIONS_ANSWER, false);
      else client.replies.reply(stop.status, stop.closes, stop.reason);
      return at;
    }
    const route = routes.find(request);
    this.#route = route;
    if (route === undefined) {
      const at = this.#skip(bytes, head.end, to);
      client.replies.reply(404, false, 'no-route');
      return at;
    }
    if (contentLength > route.maxBodyBytes) {
      client.replies.reply(413, true, 'body-too-large');
      return to;
    }
    if (route.filters !== undefined) return this.#ask(route, bytes, to);
    return this.#proceed(request, bytes, head.end, to);
  }

  /** More of the body. @returns where what was used up ends; `to` when the request is refused */
  take(bytes: Buffer, from: number, to: number): number {
    const output = this.#host.output.begin();
    const at = this.#pump.pump(bytes, from, to, output);
    this.#client.account.bytesIn += at - from;
    if (this.#isBad()) return to;
    this.#client.bodyTaken();
    if (this.#body === undefined) this.#deliver(output, this.#pump.done);
    else {
      this.#filter(this.#body);
      this.bodyFiltered();
    }
    return at;
  }

  /** The request is over. */
  end(): void {
    this.#route = undefined;
    this.#delay?.cancel();
    this.#delay = undefined;
    const body = this.#body;
    const run = this.#run;
    this.#body = undefined;
    this.#run = undefined;
    this.#buffer = undefined;
    body?.close();
    run?.end();
  }

  bodyFiltered(): void {
    const body = this.#body;
    if (body === undefined) return;
    const output = this.#host.output.begin();
    body.putInto(output);
    if (output.length > 0 || body.done) this.#deliver(output, body.done);
    if (body.busy) this.#client.reading.pauseForFilter();
  }

  bodyReady(): void {
    this.#client.reading.filterReady();
  }

  bodyFailed(error: unknown): void {
    if (error instanceof BodyRefusal) this.#client.replies.refuseBody(error.status, error.reason);
    else {
      this.#host.runtime.logger.error({ error }, 'a filter of a request body threw');
      this.#client.replies.refuseBody(500, 'filter-failed');
    }
  }

  #ask(route: Route, bytes: Buffer, to: number): number {
    const head = this.#head;
    const { end, semantics } = head;
    const { view, runtime } = this.#host;
    const { identity, account } = this.#client;
    if (route.meter !== undefined) account.enter(route.meter);
    const request = new FilteredRequest({
      view,
      identity,
      route: route.name,
      id: account.id.text ?? '',
      bodyBytes: semantics.chunked ? undefined : Math.max(0, semantics.contentLength),
    });
    const run = new FilterRun(route.filters ?? [], request, runtime.logger);
    this.#run = run;
    const verdict = run.ask((late) => this.#settled(run, late));
    if (verdict === undefined || run.needsRequest) this.#keep(request);
    if (verdict !== undefined) return this.#judge(verdict, bytes, end, to);
    this.#client.awaitFilters();
    return end;
  }

  /** The bytes of a read do not stay. */
  #keep(request: FilteredRequest): void {
    const kept = (this.#kept ??= new KeptHead());
    request.view = kept.keep(this.#head, this.#bytes, this.#client.identity);
    this.#head = kept.head;
    this.#bytes = kept.bytes;
  }

  /** A filter that took its time has come to its end, or the delay of an answer is over. */
  #settled(run: FilterRun, verdict: Verdict): void {
    if (this.#run !== run) return;
    const bytes = this.#client.filtersSettled();
    this.#isLate = true;
    this.#judge(verdict, bytes, 0, bytes.length);
    this.#isLate = false;
    this.#client.goOn();
  }

  // oxlint-disable-next-line max-params -- per request: an object would be allocated
  #judge(verdict: Verdict, bytes: Buffer, from: number, to: number): number {
    const client = this.#client;
    const { run } = this;
    switch (verdict.kind) {
      case 'pass':
        return this.#proceed((run as FilterRun).request, bytes, from, to);
      case 'failed': {
        const at = this.#skip(bytes, from, to);
        client.replies.reply(500, false, 'filter-failed');
        return at;
      }
      case 'answer': {
        const { answer, reason, delayMs } = verdict;
        if (delayMs > 0) {
          this.#putBack(bytes, from, to);
          client.awaitFilters(delayMs);
          const now = { ...verdict, delayMs: 0 };
          this.#delay = this.#host.runtime.scheduler.after(delayMs, () =>
            this.#settled(run as FilterRun, now),
          );
          return from;
        }
        const at = this.#skip(bytes, from, to);
        client.replies.answerOfFilter(answer, reason);
        return at;
      }
    }
  }

  /** Nothing is in the way any more. @param bytes where the body is, as far as it is there */
  // oxlint-disable-next-line max-params -- per request: an object would be allocated
  #proceed(request: RouteRequest, bytes: Buffer, from: number, to: number): number {
    const client = this.#client;
    const exchange = this.#exchange;
    const route = this.#route as Route;
    const { runtime, output } = this.#host;
    const choice = choose(route, { request, exchange, logger: runtime.logger });
    if (choice?.kind !== 'target') {
      const at = this.#skip(bytes, from, to);
      if (choice === undefined) client.replies.reply(500, false, 'internal');
      else {
        client.account.enter(choice.meter);
        client.replies.answer(choice.answer, false);
      }
      return at;
    }
    client.account.enter(choice.meter);
    const pump = this.#pump;
    if (this.#run !== undefined && !pump.done && !exchange.isUpgrade) {
      const bodies = this.#run.requestBodies();
      if (bodies === undefined) {
        const at = this.#skip(bytes, from, to);
        client.replies.reply(500, false, 'filter-failed');
        return at;
      }
      if (bodies.length > 0) return this.#proceedFiltered(choice, bodies, bytes, from, to);
    }
    const buffers = this.#buffers(choice);
    output.begin();
    this.#writeHead(pump.kind, buffers);
    const at = pump.pump(bytes, from, to, output);
    client.account.bytesIn += at - from;
    if (this.#isBad()) return to;
    this.#putBack(bytes, at, to);
    if (!pump.done) client.reading.begin();
    this.#begin(choice, buffers);
    return at;
  }

  // oxlint-disable-next-line max-params -- the same with filters of the body
  #proceedFiltered(
    target: Target,
    bodies: readonly BodyFilter[],
    bytes: Buffer,
    from: number,
    to: number,
  ): number {
    const client = this.#client;
    const pump = this.#pump;
    const { output } = this.#host;
    const { contentLength } = this.#head.semantics;
    const { kind } = pump;
    const keepsLength =
      kind === BodyKind.length && bodies.every((filter) => filter.keepsLength === true);
    pump.begin(kind, contentLength, false);
    const body = new RequestBody(bodies, keepsLength ? contentLength : undefined, this);
    this.#body = body;
    output.begin();
    const at = pump.pump(bytes, from, to, output);
    client.account.bytesIn += at - from;
    if (this.#isBad()) return to;
    this.#putBack(bytes, at, to);
    this.#filter(body);
    // A filter may have refused it.
    if (this.#body !== body) return to;
    const buffers = this.#buffers(target);
    output.begin();
    this.#writeHead(keepsLength ? BodyKind.length : BodyKind.chunked, buffers);
    body.putInto(output);
    if (!pump.done) client.reading.begin();
    if (body.busy) client.reading.pauseForFilter();
    this.#begin(target, buffers);
    return at;
  }

  /** Does the body have to be whole before an endpoint is asked? */
  #buffers({ features }: Target): boolean {
    return features !== undefined && features.bufferBytes > 0 && !this.#exchange.isUpgrade;
  }

  /** The output holds the message, as far as it is there. */
  #begin(target: Target, buffers: boolean): void {
    const { output } = this.#host;
    if (!buffers) {
      this.#exchange.begin(target, undefined);
      return;
    }
    const { contentLength, expectContinue } = this.#head.semantics;
    const maxBytes = target.features?.bufferBytes ?? 0;
    if (Math.max(contentLength, this.#pump.byteCount) > maxBytes)
      this.#client.replies.refuseBody(413, 'body-too-large');
    else if (this.isDone) this.#exchange.begin(target, undefined);
    else {
      this.#buffer = new RequestBuffer(target, output.take());
      if (expectContinue) this.#client.stream.write(CONTINUE);
    }
  }

  /** Some of the body, as it goes to the endpoint. */
  #deliver(output: Output, isLast: boolean): void {
    const buffer = this.#buffer;
    if (buffer === undefined) {
      this.#exchange.sendBody(output, isLast);
      return;
    }
    const maxBytes = buffer.target.features?.bufferBytes ?? 0;
    if (this.#pump.byteCount > maxBytes || !buffer.add(output.take())) {
      this.#client.replies.refuseBody(413, 'body-too-large');
      return;
    }
    if (!isLast) return;
    this.#buffer = undefined;
    this.#exchange.begin(buffer.target, buffer.message());
  }

  /** Gives what the output holds to the filters. */
  #filter(body: RequestBody): void {
    const { output } = this.#host;
    const bytes = output.take();
    if (!this.#pump.done) {
      body.take(bytes, undefined);
      return;
    }
    this.#pump.putEnd(output.begin());
    body.take(bytes, output.take());
  }

  #writeHead(bodyKind: BodyKind, answersExpectation: boolean): void {
    const { output, viaLine } = this.#host;
    const { identity, account } = this.#client;
    const request = this.#run?.request;
    writeRequestHead(output, this.#head, this.#bytes, {
      identity,
      bodyKind,
      isUpgrade: this.#exchange.isUpgrade,
      viaLine,
      idLine: account.id.line,
      trace: account.trace,
      rewrite: this.#route?.rewrite,
      answersExpectation,
      edits: request?.edits,
      target: request?.target,
    });
  }

  /** The request is answered here: as much of its body as is there is passed over, so that the next request is found. */
  #skip(bytes: Buffer, from: number, to: number): number {
    const at = this.#pump.pump(bytes, from, to, this.#host.output.begin());
    this.#client.account.bytesIn += at - from;
    this.#putBack(bytes, at, to);
    return at;
  }

  /** Bytes that were held while filters took their time, and are not of this request. */
  #putBack(bytes: Buffer, from: number, to: number): void {
    if (this.#isLate) this.#client.putBack(bytes, from, to);
  }

  /** Refuses a body that breaks a rule. */
  #isBad(): boolean {
    if (this.#pump.problem !== 0) {
      this.#client.replies.refuse(problemOf(this.#pump.problem)?.status ?? 400);
      return true;
    }
    if (this.#pump.byteCount <= (this.#route as Route).maxBodyBytes) return false;
    this.#client.replies.refuseBody(413, 'body-too-large');
    return true;
  }
}
