import type { LoadReport } from '../../../load-report/load-report.ts';
import { isFailure, Outcome } from '../../../model/outcome.ts';
import { ANY, NO_SLOT, type PickContext } from '../../../model/pick-context.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SimulatedClient } from './client.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { codeOf, EventKind } from './event-kind.ts';
import type { EventQueue } from './event-queue.ts';
import type { IndexedHeap } from './indexed-heap.ts';
import type { Recorder } from './recorder.ts';
import { Place, RequestTable } from './request-table.ts';
import type { Server } from './server.ts';
import { Purpose, type Stream, streamOf } from './stream.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface RequestFlowParts {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly time: VirtualTime;
  readonly events: EventQueue;
  /** Servers by the time at which their next request is done. */
  readonly finishes: IndexedHeap;
  readonly servers: readonly Server[];
  readonly clients: readonly SimulatedClient[];
  readonly recorder: Recorder;
  readonly contexts: readonly PickContext[];
}

/** A request that arrives. */
export interface Arrival {
  readonly client: number;
  /** Position of its context. */
  readonly key: number;
  readonly work: number;
}

/**
 * The way of a request:
 *
 * ```text
 *   arrive -> pick -> to the server -> at the server -> to the client -> ended
 *               ^                                             |
 *               '------------------- retry -------------------'      deadline: ends it from any place
 * ```
 */
export class RequestFlow {
  readonly requests: RequestTable = new RequestTable();
  readonly deadlines: DeadlineQueue = new DeadlineQueue();
  readonly #parts: RequestFlowParts;
  readonly #time: VirtualTime;
  readonly #errors: Stream;
  readonly #delayMs: number;
  readonly #crossZoneDelayMs: number;
  /** Slots that a request has tried, while there are retries. */
  readonly #tried = new Map<number, number[]>();
  /** Reports on their way to clients that want them. */
  readonly #reports = new Map<number, LoadReport>();

  constructor(parts: RequestFlowParts) {
    this.#parts = parts;
    this.#time = parts.time;
    this.#errors = streamOf(parts.seed, Purpose.server);
    const { delayMs, crossZoneDelayMs } = parts.scenario.network;
    this.#delayMs = delayMs;
    this.#crossZoneDelayMs = crossZoneDelayMs ?? delayMs;
  }

  /** A request arrives at its client. */
  arrive({ client, key, work }: Arrival): void {
    const { requests } = this;
    const nowMs = this.#time.timeMs;
    this.#parts.recorder.arrived(nowMs);
    const request = requests.create();
    requests.arrivalMs[request] = nowMs;
    requests.client[request] = client;
    requests.key[request] = key;
    requests.work[request] = work;
    requests.attempts[request] = 0;
    const slot = this.#clientOf(request).cluster.pick(this.#parts.contexts[key] ?? ANY, nowMs);
    if (slot === NO_SLOT) {
      this.#parts.recorder.unsent(nowMs);
      requests.release(request);
      return;
    }
    this.deadlines.put(
      nowMs + this.#parts.scenario.deadlineMs,
      request,
      requests.birth[request] as number,
    );
    this.#send(request, slot);
  }

  /** A request reaches its server. */
  deliver(request: number, serial: number): void {
    const { requests } = this;
    if (requests.serial[request] !== serial) return;
    const nowMs = this.#time.timeMs;
    const server = this.#serverOf(request);
    requests.servedMs[request] = nowMs;
    if (server.refusing) {
      this.#answer(request, Outcome.connectFailure);
    } else if (server.failFastMs >= 0) {
      requests.job[request] = NO_JOB;
      requests.place[request] = Place.atServer;
      this.#parts.events.put(
        nowMs + server.failFastMs,
        codeOf(EventKind.failFast, request),
        serial,
      );
    } else {
      requests.others[request] = server.runningCount;
      requests.job[request] = server.start(request, requests.work[request] as number, nowMs);
      requests.place[request] = Place.atServer;
      this.#parts.finishes.set(server.index, server.nextFinishMs);
    }
  }

  /** A server that fails fast has its answer ready. */
  failFast(request: number, serial: number): void {
    if (this.requests.serial[request] === serial) this.#answer(request, Outcome.serverError);
  }

  /** A server is done with a request. */
  finishNext(server: Server): void {
    const request = server.finishNext(this.#time.timeMs);
    this.#parts.finishes.set(server.index, server.nextFinishMs);
    const failed = server.errorRatio > 0 && this.#errors.unit() < server.errorRatio;
    this.#answer(request, failed ? Outcome.serverError : Outcome.success);
  }

  /** A server's process ended. */
  dropAll(server: Server): void {
    for (const request of server.dropAll(this.#time.timeMs)) this.#answer(request, Outcome.reset);
    this.#parts.finishes.set(server.index, server.nextFinishMs);
  }

  /** An answer reaches its client. */
  receive(request: number, serial: number): void {
    if (this.requests.serial[request] !== serial) return;
    this.#endAttempt(request, this.requests.outcome[request] as Outcome);
  }

  /** The time limit of one attempt. */
  tryTimeout(request: number, serial: number): void {
    if (this.requests.serial[request] !== serial) return;
    this.#withdraw(request);
    this.#endAttempt(request, Outcome.timeout);
  }

  /** The oldest deadline has come. */
  deadline(): void {
    this.deadlines.take();
    const { request, serial } = this.deadlines;
    if (this.requests.birth[request] !== serial) return;
    this.#withdraw(request);
    this.#finish(request, Outcome.timeout);
    this.#end(request, Outcome.timeout);
  }

  #send(request: number, slot: number): void {
    const { requests } = this;
    const { events, recorder, scenario } = this.#parts;
    const nowMs = this.#time.timeMs;
    const client = this.#clientOf(request);
    client.cluster.start(slot, nowMs);
    if (client.budget !== undefined && requests.attempts[request] === 0)
      client.budget.deposit(nowMs);
    const server = this.#parts.servers[client.serverAt(slot)] as Server;
    server.outstandingCount++;
    const serial = requests.renew(request);
    requests.slot[request] = slot;
    requests.server[request] = server.index;
    requests.attemptMs[request] = nowMs;
    requests.attempts[request] = (requests.attempts[request] as number) + 1;
    requests.place[request] = Place.toServer;
    recorder.sent(server.index, requests.arrivalMs[request] as number, nowMs);
    const perTryMs = scenario.retry?.perTryMs;
    if (perTryMs !== undefined)
      events.put(nowMs + perTryMs, codeOf(EventKind.tryTimeout, request), serial);
    const delayMs = this.#delayTo(server, client);
    if (delayMs > 0) events.put(nowMs + delayMs, codeOf(EventKind.deliver, request), serial);
    else this.deliver(request, serial);
  }

  /** The server lets go of a request. */
  #answer(request: number, outcome: Outcome): void {
    const { requests } = this;
    const server = this.#serverOf(request);
    const client = this.#clientOf(request);
    const nowMs = this.#time.timeMs;
    server.outstandingCount--;
    server.meter.count(isFailure(outcome));
    requests.place[request] = Place.toClient;
    requests.outcome[request] = outcome;
    if (server.monitor !== undefined) this.#monitor(request, server, client);
    const serial = requests.serial[request] as number;
    const delayMs = this.#delayTo(server, client);
    if (delayMs > 0)
      this.#parts.events.put(nowMs + delayMs, codeOf(EventKind.receive, request), serial);
    else this.receive(request, serial);
  }

  /** The server keeps account of an answer, and tells of its load where the client wants to hear it. */
  #monitor(request: number, { monitor, refusing }: Server, client: SimulatedClient): void {
    // A process that is gone says nothing about itself.
    if (monitor === undefined || refusing) return;
    const { requests } = this;
    const nowMs = this.#time.timeMs;
    const serviceTimeMs = nowMs - (requests.servedMs[request] as number);
    if (requests.outcome[request] === Outcome.success)
      monitor.record(serviceTimeMs, requests.others[request] as number);
    if (client.wantsReports) this.#reports.set(request, monitor.report(serviceTimeMs, nowMs));
  }

  /** Nobody waits for this attempt any more. */
  #withdraw(request: number): void {
    const place = this.requests.place[request];
    if (place === Place.toClient) return;
    const server = this.#serverOf(request);
    server.outstandingCount--;
    const job = this.requests.job[request] as number;
    if (place === Place.toServer || job === NO_JOB) return;
    server.cancel(job, this.#time.timeMs);
    this.#parts.finishes.set(server.index, server.nextFinishMs);
  }

  #endAttempt(request: number, outcome: Outcome): void {
    this.#finish(request, outcome);
    if (isFailure(outcome) && this.#retry(request)) return;
    this.#end(request, outcome);
  }

  /** Tells the cluster. */
  #finish(request: number, outcome: Outcome): void {
    const { requests } = this;
    const { cluster } = this.#clientOf(request);
    const nowMs = this.#time.timeMs;
    const slot = requests.slot[request] as number;
    const report = this.#reports.size > 0 ? this.#reports.get(request) : undefined;
    if (report !== undefined) {
      this.#reports.delete(request);
      if (outcome !== Outcome.timeout) cluster.report(slot, report, nowMs);
    }
    cluster.finish(slot, outcome, nowMs - (requests.attemptMs[request] as number), nowMs);
    if (isFailure(outcome)) {
      const { recorder } = this.#parts;
      recorder.failed(requests.server[request] as number, requests.arrivalMs[request] as number);
    }
  }

  #retry(request: number): boolean {
    const { retry } = this.#parts.scenario;
    if (retry === undefined || (this.requests.attempts[request] as number) >= retry.attempts)
      return false;
    const { cluster, budget } = this.#clientOf(request);
    const nowMs = this.#time.timeMs;
    // Asked before the pick, which may hand out the trial of an ejected endpoint: that is not to be wasted.
    if (budget === undefined || budget.remaining(nowMs) < 1) return false;
    const tried = [...(this.#tried.get(request) ?? []), this.requests.slot[request] as number];
    const context = this.#parts.contexts[this.requests.key[request] as number] ?? ANY;
    const slot = cluster.pick({ ...context, exclude: tried }, nowMs);
    if (slot === NO_SLOT || !budget.tryWithdraw(nowMs)) return false;
    this.#tried.set(request, tried);
    this.#send(request, slot);
    return true;
  }

  /** The caller has an answer, or gives up. */
  #end(request: number, outcome: Outcome): void {
    const arrivalMs = this.requests.arrivalMs[request] as number;
    this.#parts.recorder.ended(outcome, arrivalMs, this.#time.timeMs);
    if (this.#tried.size > 0) this.#tried.delete(request);
    this.requests.release(request);
  }

  #delayTo(server: Server, client: SimulatedClient): number {
    return server.zone === client.zone || server.zone === ''
      ? this.#delayMs
      : this.#crossZoneDelayMs;
  }

  #serverOf(request: number): Server {
    return this.#parts.servers[this.requests.server[request] as number] as Server;
  }

  #clientOf(request: number): SimulatedClient {
    return this.#parts.clients[this.requests.client[request] as number] as SimulatedClient;
  }
}

/** The job of a request that the server does not work on. */
const NO_JOB = -1;
