import { isFailure, Outcome } from '../../../model/outcome.ts';
import { ANY, NO_SLOT, type PickContext } from '../../../model/pick-context.ts';
import { HedgeRace, LOSER_OUTCOME } from '../../../resilience/hedge-race.ts';
import { Criticality } from '../../../resilience/load-shedder.ts';
import type { RetrySequence } from '../../../resilience/retry-policy.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SimulatedClient } from './client.ts';
import { codeOf, EventKind } from './event-kind.ts';
import type { EventQueue } from './event-queue.ts';
import type { Recorder } from './recorder.ts';
import type { RequestFlow } from './request-flow.ts';
import { Place, type RequestTable } from './request-table.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface RequestDeskParts {
  readonly scenario: Pick<Scenario, 'deadlineMs' | 'keyCount' | 'affinity'>;
  readonly flow: RequestFlow;
  readonly time: VirtualTime;
  readonly events: EventQueue;
  readonly clients: readonly SimulatedClient[];
  readonly recorder: Recorder;
  readonly contexts: readonly PickContext[];
}

/** A request that arrives. */
export interface Arrival {
  readonly client: number;
  readonly key: number;
  /** Position of its context. */
  readonly context: number;
  readonly work: number;
  readonly low: boolean;
}

/** A request with more than one attempt at a time. */
interface Race {
  readonly race: HedgeRace;
  /** Attempts that run. */
  readonly running: number[];
  /** Slots that have had one. */
  readonly slots: number[];
}

/** What a transport does, in small: admission, pick, retries, hedges and the deadline of every request. */
export class RequestDesk {
  readonly #parts: RequestDeskParts;
  readonly #flow: RequestFlow;
  readonly #requests: RequestTable;
  readonly #time: VirtualTime;
  /** Of requests whose first try has failed, where there are retries. */
  readonly #sequences = new Map<number, RetrySequence>();
  readonly #races = new Map<number, Race>();

  constructor(parts: RequestDeskParts) {
    this.#parts = parts;
    this.#flow = parts.flow;
    this.#requests = parts.flow.requests;
    this.#time = parts.time;
  }

  /** A request arrives at its client. */
  arrive({ client: index, key, context, work, low }: Arrival): void {
    const requests = this.#requests;
    const { recorder, clients, scenario } = this.#parts;
    const nowMs = this.#time.timeMs;
    recorder.arrived(nowMs);
    const client = clients[index] as SimulatedClient;
    const { admission } = client.cluster;
    const refusal = admission?.admit(nowMs, low ? Criticality.low : Criticality.normal);
    if (refusal !== undefined) return recorder.refused(refusal.reason, low, nowMs);
    const request = requests.create();
    requests.arrivalMs[request] = nowMs;
    requests.client[request] = index;
    requests.key[request] = key;
    requests.context[request] = context;
    requests.work[request] = work;
    const slot = this.#pick(request, NONE);
    if (slot === NO_SLOT) {
      admission?.complete(Outcome.cancelled, 0, nowMs, nowMs);
      recorder.unsent(nowMs);
      requests.release(request);
      return;
    }
    const birth = requests.birth[request] as number;
    this.#flow.deadlines.put(nowMs + scenario.deadlineMs, request, birth);
    client.budget?.deposit(nowMs);
    if (scenario.keyCount > 0)
      recorder.placed(this.#placeOf(client, key), client.serverAt(slot), nowMs);
    this.#send(request, slot, false);
    this.#scheduleHedge(request, client);
  }

  /** The answer to an attempt is there. */
  answered(request: number, outcome: Outcome): void {
    if (outcome === Outcome.success) {
      const key = this.#requests.key[request] as number;
      this.#flow.clientOf(request).cookies?.answered(key, this.#requests.slot[request] as number);
    }
    this.#endAttempt(request, outcome, outcome);
  }

  /** The time limit of one attempt. */
  tryTimeout(request: number, serial: number): void {
    if (this.#requests.serial[request] !== serial) return;
    this.#flow.withdraw(request);
    this.#endAttempt(request, Outcome.timeout, this.#fairTimeout(request));
  }

  /** The oldest deadline has come. */
  deadline(): void {
    const { deadlines } = this.#flow;
    deadlines.take();
    const { request, serial } = deadlines;
    const requests = this.#requests;
    if (requests.birth[request] !== serial) return;
    const race = this.#races.get(request);
    race?.race.abandon();
    for (const attempt of race?.running ?? [request]) {
      if (requests.place[attempt] !== Place.waiting) {
        this.#flow.withdraw(attempt);
        this.#flow.finish(attempt, this.#fairTimeout(attempt));
      }
      if (attempt !== request) requests.release(attempt);
    }
    this.#end(request, Outcome.timeout);
  }

  /** The pause before a retry is over. */
  retry(request: number, birth: number): void {
    if (this.#requests.birth[request] !== birth) return;
    if (!this.#resend(request)) this.#end(request, this.#requests.outcome[request] as Outcome);
  }

  /** An answer is late. */
  hedge(request: number, birth: number): void {
    const requests = this.#requests;
    if (requests.birth[request] !== birth) return;
    const known = this.#races.get(request);
    // Between two tries there is nothing to hedge.
    if (known === undefined && requests.place[request] === Place.waiting) return;
    const client = this.#flow.clientOf(request);
    const { admission } = client.cluster;
    const nowMs = this.#time.timeMs;
    const deadlineAtMs = this.#deadlineOf(request);
    const wish = { idempotent: true, replayable: true, deadlineAtMs };
    const used = known?.race.hedges ?? 0;
    if (client.hedge?.tryHedge(wish, used, nowMs) !== 'hedge') return;
    if (admission !== undefined && !admission.tryExtra()) return;
    const race = known ?? this.#startRace(request);
    const slot = this.#pick(request, race.slots);
    if (slot === NO_SLOT) {
      admission?.endExtra();
      if (known === undefined) this.#races.delete(request);
      return;
    }
    const hedge = requests.create();
    for (const column of [requests.client, requests.key, requests.context])
      column[hedge] = column[request] as number;
    requests.arrivalMs[hedge] = requests.arrivalMs[request] as number;
    requests.work[hedge] = requests.work[request] as number;
    requests.head[hedge] = request;
    race.race.begin();
    race.running.push(hedge);
    race.slots.push(slot);
    this.#parts.recorder.hedged(requests.arrivalMs[request] as number);
    this.#send(hedge, slot, true);
    if (requests.birth[request] === birth) this.#scheduleHedge(request, client);
  }

  #startRace(request: number): Race {
    const slots = [this.#requests.slot[request] as number];
    const race: Race = { race: new HedgeRace(), running: [request], slots };
    race.race.begin();
    this.#races.set(request, race);
    return race;
  }

  #scheduleHedge(request: number, { hedge }: SimulatedClient): void {
    // It may have ended where it was sent.
    if (hedge === undefined || this.#requests.birth[request] === 0) return;
    const nowMs = this.#time.timeMs;
    const delayMs = hedge.delayMs(nowMs);
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#put(nowMs + delayMs, EventKind.hedge, request);
  }

  #send(request: number, slot: number, extra: boolean): void {
    const requests = this.#requests;
    const nowMs = this.#time.timeMs;
    requests.slot[request] = slot;
    requests.extra[request] = extra ? 1 : 0;
    requests.attempts[request] = (requests.attempts[request] as number) + 1;
    const { deadline } = this.#flow.clientOf(request);
    const deadlineAtMs = this.#deadlineOf(request);
    const allowedMs = deadline.tryTimeoutMs(deadlineAtMs, nowMs);
    requests.allowedMs[request] = allowedMs;
    const serial = this.#flow.send(request);
    if (nowMs + allowedMs < deadlineAtMs && requests.serial[request] === serial)
      this.#parts.events.put(nowMs + allowedMs, codeOf(EventKind.tryTimeout, request), serial);
  }

  /** @param told what the cluster hears: not every time limit speaks against the server */
  #endAttempt(attempt: number, outcome: Outcome, told: Outcome): void {
    const requests = this.#requests;
    const request = requests.head[attempt] as number;
    const race = this.#races.get(request);
    this.#flow.finish(attempt, told);
    const isFirst = attempt === request && requests.attempts[attempt] === 1;
    if (isFirst && outcome === Outcome.success) this.#observe(request);
    if (race !== undefined) {
      if (!this.#settle(race, attempt, outcome)) return;
      this.#races.delete(request);
    }
    requests.outcome[request] = outcome;
    if (isFailure(outcome) && this.#mayRetry(request, outcome)) return;
    this.#end(request, outcome);
  }

  /** One of several attempts has ended. @returns is that the end of all of them? */
  #settle(race: Race, attempt: number, outcome: Outcome): boolean {
    const requests = this.#requests;
    const request = requests.head[attempt] as number;
    race.running.splice(race.running.indexOf(attempt), 1);
    if (attempt === request) requests.renew(request);
    else requests.release(attempt);
    const verdict = race.race.settle(!isFailure(outcome));
    if (verdict === 'wait') return false;
    for (const loser of race.running) {
      this.#flow.withdraw(loser);
      this.#flow.finish(loser, LOSER_OUTCOME);
      if (loser !== request) requests.release(loser);
      // At least as slow as this: without it the percentile would sink.
      else if (requests.attempts[loser] === 1) this.#observe(request);
    }
    return true;
  }

  #observe(request: number): void {
    const { hedge } = this.#flow.clientOf(request);
    hedge?.observe(this.#time.timeMs - (this.#requests.attemptMs[request] as number));
  }

  #mayRetry(request: number, outcome: Outcome): boolean {
    const requests = this.#requests;
    const { retry } = this.#flow.clientOf(request);
    if (retry === undefined) return false;
    const nowMs = this.#time.timeMs;
    const deadlineAtMs = this.#deadlineOf(request);
    const sequence =
      this.#sequences.get(request) ??
      retry.begin({ idempotent: true, replayable: true, deadlineAtMs });
    sequence.exclude(requests.slot[request] as number);
    const sent = outcome !== Outcome.connectFailure;
    const statusCode = STATUS_CODES[outcome];
    if (sequence.consider({ outcome, statusCode, sent }, nowMs) !== 'retry') return false;
    this.#sequences.set(request, sequence);
    if (sequence.delayMs === 0) return this.#resend(request);
    this.#put(nowMs + sequence.delayMs, EventKind.retry, request);
    return true;
  }

  #resend(request: number): boolean {
    const { admission } = this.#flow.clientOf(request).cluster;
    if (admission !== undefined && !admission.tryExtra()) return false;
    const slot = this.#pick(request, this.#sequences.get(request)?.excluded ?? NONE);
    if (slot === NO_SLOT) admission?.endExtra();
    else this.#send(request, slot, true);
    return slot !== NO_SLOT;
  }

  /** An endpoint that lets the request in, or `NO_SLOT`. */
  #pick(request: number, excluded: readonly number[]): number {
    const client = this.#flow.clientOf(request);
    const { admission } = client.cluster;
    const nowMs = this.#time.timeMs;
    const key = this.#requests.key[request] as number;
    const context = this.#parts.contexts[this.#requests.context[request] as number] ?? ANY;
    let exclude = excluded;
    for (;;) {
      const slot = client.pick(
        key,
        exclude.length === 0 ? context : { ...context, exclude },
        nowMs,
      );
      if (slot === NO_SLOT || admission === undefined || admission.enter(slot, nowMs)) return slot;
      exclude = [...exclude, slot];
    }
  }

  /** The caller has an answer, or gives up. */
  #end(request: number, outcome: Outcome): void {
    const requests = this.#requests;
    const arrivalMs = requests.arrivalMs[request] as number;
    const nowMs = this.#time.timeMs;
    const { admission } = this.#flow.clientOf(request).cluster;
    const latencyMs = nowMs - (requests.attemptMs[request] as number);
    admission?.complete(outcome, latencyMs, nowMs, arrivalMs);
    this.#parts.recorder.ended(outcome, arrivalMs, nowMs);
    if (this.#sequences.size > 0) this.#sequences.delete(request);
    if (this.#races.size > 0) this.#races.delete(request);
    requests.release(request);
  }

  #fairTimeout(request: number): Outcome {
    const { deadline } = this.#flow.clientOf(request);
    return deadline.outcomeOfTimeout(this.#requests.allowedMs[request] as number);
  }

  #deadlineOf(request: number): number {
    return (this.#requests.arrivalMs[request] as number) + this.#parts.scenario.deadlineMs;
  }

  /** Browsers stay with one client, so each client has all keys for itself. */
  #placeOf({ index, cookies }: SimulatedClient, key: number): number {
    return cookies === undefined ? key : key * this.#parts.clients.length + index;
  }

  #put(timeMs: number, kind: EventKind, request: number): void {
    this.#parts.events.put(timeMs, codeOf(kind, request), this.#requests.birth[request] as number);
  }
}

const NONE: readonly number[] = [];

/** By outcome; undefined: there was no answer. */
const STATUS_CODES: Readonly<Record<Outcome, number | undefined>> = {
  [Outcome.success]: 200,
  [Outcome.serverError]: 500,
  [Outcome.gatewayError]: 503,
  [Outcome.overloaded]: 429,
  [Outcome.connectFailure]: undefined,
  [Outcome.reset]: undefined,
  [Outcome.timeout]: undefined,
  [Outcome.cancelled]: undefined,
};
