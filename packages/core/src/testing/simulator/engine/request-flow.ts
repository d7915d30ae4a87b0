import type { LoadReport } from '../../../load-report/load-report.ts';
import { isFailure, Outcome } from '../../../model/outcome.ts';
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
  readonly network: { readonly delayMs: number; readonly crossZoneDelayMs?: number | undefined };
  readonly seed: number;
  readonly time: VirtualTime;
  readonly events: EventQueue;
  /** Servers by the time at which their next request is done. */
  readonly finishes: IndexedHeap;
  readonly servers: readonly Server[];
  readonly clients: readonly SimulatedClient[];
  readonly recorder: Recorder;
  /** The answer to an attempt has reached the client. */
  readonly onAnswer: (request: number, outcome: Outcome) => void;
}

/**
 * The way of one attempt, between the moment when a client has decided where to send it and that when the answer is
 * there. What the client makes of it, `RequestDesk` decides.
 *
 * ```text
 *   desk: pick -> to the server -> at the server -> to the client -> desk: done, retry, or one of two that came
 *                        '-------- withdrawn: deadline, or another attempt has won --------'
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
  /** Reports on their way to clients that want them. */
  readonly #reports = new Map<number, LoadReport>();

  constructor(parts: RequestFlowParts) {
    this.#parts = parts;
    this.#time = parts.time;
    this.#errors = streamOf(parts.seed, Purpose.server);
    const { delayMs, crossZoneDelayMs } = parts.network;
    this.#delayMs = delayMs;
    this.#crossZoneDelayMs = crossZoneDelayMs ?? delayMs;
  }

  /**
   * An attempt leaves its client for the slot entered in the table. Where the network takes no time it may have ended
   * when this returns.
   *
   * @returns its serial
   */
  send(request: number): number {
    const { requests } = this;
    const { events, recorder } = this.#parts;
    const nowMs = this.#time.timeMs;
    const client = this.clientOf(request);
    const slot = requests.slot[request] as number;
    client.cluster.start(slot, nowMs);
    const server = this.#parts.servers[client.serverAt(slot)] as Server;
    server.outstandingCount++;
    const serial = requests.renew(request);
    requests.server[request] = server.index;
    requests.attemptMs[request] = nowMs;
    requests.place[request] = Place.toServer;
    recorder.sent(server.index, requests.arrivalMs[request] as number, nowMs);
    const delayMs = this.#delayTo(server, client);
    if (delayMs > 0) events.put(nowMs + delayMs, codeOf(EventKind.deliver, request), serial);
    else this.deliver(request, serial);
    return serial;
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
    } else if (server.runningCount >= server.maxRequests) {
      this.#answer(request, Outcome.overloaded);
    } else {
      requests.others[request] = server.runningCount;
      requests.job[request] = server.start(request, requests.work[request] as number, nowMs);
      requests.place[request] = Place.atServer;
      this.#parts.finishes.set(server.index, server.nextFinishMs);
    }
  }

  /** A server that fails fast has its answer ready. */
  failFast(request: number, serial: number): void {
    if (this.requests.serial[request] !== serial) return;
    this.#answer(request, this.#serverOf(request).errorOutcome);
  }

  /** A server is done with a request. */
  finishNext(server: Server): void {
    const request = server.finishNext(this.#time.timeMs);
    this.#parts.finishes.set(server.index, server.nextFinishMs);
    const failed = server.errorRatio > 0 && this.#errors.unit() < server.errorRatio;
    this.#answer(request, failed ? server.errorOutcome : Outcome.success);
  }

  /** A server's process ended. */
  dropAll(server: Server): void {
    for (const request of server.dropAll(this.#time.timeMs)) this.#answer(request, Outcome.reset);
    this.#parts.finishes.set(server.index, server.nextFinishMs);
  }

  /** An answer reaches its client. */
  receive(request: number, serial: number): void {
    if (this.requests.serial[request] !== serial) return;
    this.#parts.onAnswer(request, this.requests.outcome[request] as Outcome);
  }

  /** Nobody waits for this attempt any more: the server stops working on it. */
  withdraw(request: number): void {
    const place = this.requests.place[request];
    if (place === Place.toClient) return;
    const server = this.#serverOf(request);
    server.outstandingCount--;
    const job = this.requests.job[request] as number;
    if (place === Place.toServer || job === NO_JOB) return;
    server.cancel(job, this.#time.timeMs);
    this.#parts.finishes.set(server.index, server.nextFinishMs);
  }

  /** Tells the cluster how an attempt ended. */
  finish(request: number, outcome: Outcome): void {
    const { requests } = this;
    const { cluster } = this.clientOf(request);
    const nowMs = this.#time.timeMs;
    const slot = requests.slot[request] as number;
    const report = this.#reports.size > 0 ? this.#reports.get(request) : undefined;
    if (report !== undefined) {
      this.#reports.delete(request);
      if (outcome <= Outcome.overloaded) cluster.report(slot, report, nowMs);
    }
    const startMs = requests.attemptMs[request] as number;
    cluster.finish(slot, outcome, nowMs - startMs, nowMs);
    const { admission } = cluster;
    if (admission !== undefined) {
      admission.leave(slot, outcome, nowMs - startMs, nowMs, startMs);
      if (requests.extra[request] === 1) admission.endExtra();
    }
    requests.place[request] = Place.waiting;
    if (isFailure(outcome)) {
      const { recorder } = this.#parts;
      recorder.failed(requests.server[request] as number, requests.arrivalMs[request] as number);
    }
  }

  clientOf(request: number): SimulatedClient {
    return this.#parts.clients[this.requests.client[request] as number] as SimulatedClient;
  }

  /** The server lets go of a request. */
  #answer(request: number, outcome: Outcome): void {
    const { requests } = this;
    const server = this.#serverOf(request);
    const client = this.clientOf(request);
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

  #delayTo(server: Server, client: SimulatedClient): number {
    return server.zone === client.zone || server.zone === ''
      ? this.#delayMs
      : this.#crossZoneDelayMs;
  }

  #serverOf(request: number): Server {
    return this.#parts.servers[this.requests.server[request] as number] as Server;
  }
}

/** The job of a request that the server does not work on. */
const NO_JOB = -1;
