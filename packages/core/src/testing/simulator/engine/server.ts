import { Outcome } from '../../../model/outcome.ts';
import { IndexedHeap } from './indexed-heap.ts';
import type { LoadMonitor } from './load-monitor.ts';
import { ServerMeter } from './server-meter.ts';

/** What a server is; does not change during a run. */
export interface ServerTraits {
  readonly index: number;
  readonly id: string;
  /** Position of its group in the scenario. */
  readonly group: number;
  readonly zone: string;
  readonly weight: number;
  readonly cores: number;
  /** Work done per core and millisecond of time, in milliseconds of work. */
  readonly speed: number;
  /** More requests at a time are answered with "overloaded". Default: any number. */
  readonly maxRequests?: number | undefined;
  /** What discovery tells of it besides. Defaults: 0, none. */
  readonly priority?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * A server that shares its cores equally among all requests it has (processor sharing, the model of a machine that runs
 * each request on a thread): with n requests on c free cores each one proceeds at
 *
 *     rate = speed * min(1, c / n)
 *
 * All requests proceed alike, so the server needs one number for their progress, `attained`: the work that a request
 * which was there from the beginning would have had done. A request that arrives with work w ends when `attained` has
 * grown by w, whatever the rate does meanwhile. So requests wait in a heap by the `attained` of their end, and a change
 * of the rate changes no entry:
 *
 * ```text
 * attained   0 ---- 3 ------- 8 ------ 12 ---->
 *                   A arrives, w = 9: ends at 12
 *                             B arrives, w = 2: ends at 10, before A
 * ```
 */
export class Server implements ServerTraits {
  readonly index: number;
  readonly id: string;
  readonly group: number;
  readonly zone: string;
  readonly weight: number;
  readonly cores: number;
  readonly speed: number;
  readonly maxRequests: number;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly meter: ServerMeter = new ServerMeter();
  /** Undefined: no client wants to hear of the load. */
  monitor: LoadMonitor | undefined;

  /** Requests sent here whose end the server has not reached yet, those on the way included. */
  outstandingCount = 0;
  /** When the next request is done, if nothing changes before. Infinity: never. */
  nextFinishMs: number = Number.POSITIVE_INFINITY;

  /** Refuses new requests and has dropped those it had. */
  refusing = false;
  /** Answers with an error after this time, without working; NaN: works. */
  failFastMs: number = Number.NaN;
  /** Share of the answers that are errors, after the normal time. */
  errorRatio = 0;
  /** What its errors are. */
  errorOutcome: Outcome = Outcome.serverError;
  /** Works, and says in its health checks that it would be spared. */
  degraded = false;

  /** Running requests by the `attained` at which they are done; ids are places in `#requests`. */
  readonly #jobs = new IndexedHeap(INITIAL_JOBS);
  #requests = new Int32Array(INITIAL_JOBS);
  readonly #free: number[] = [];
  #placeCount = 0;

  #takenCores = 0;
  #slowness = 1;
  #frozen = false;

  #attained = 0;
  #rate = 0;

  constructor(traits: ServerTraits) {
    this.index = traits.index;
    this.id = traits.id;
    this.group = traits.group;
    this.zone = traits.zone;
    this.weight = traits.weight;
    this.cores = traits.cores;
    this.speed = traits.speed;
    this.maxRequests = traits.maxRequests ?? Number.POSITIVE_INFINITY;
    this.priority = traits.priority ?? 0;
    this.labels = traits.labels ?? {};
  }

  /** Requests that it works on. */
  get runningCount(): number {
    return this.#jobs.size;
  }

  /** Cores that antagonists leave. */
  get freeCores(): number {
    return this.cores - this.#takenCores;
  }

  /** Work per core and millisecond at present: less than `speed` while a fault slows it, 0 while it hangs. */
  get presentSpeed(): number {
    return this.#frozen ? 0 : this.speed / this.#slowness;
  }

  /** Begins to work on a request. @returns the job's number, for {@link cancel} */
  start(request: number, work: number, nowMs: number): number {
    this.#advance(nowMs);
    const job = this.#free.pop() ?? this.#newPlace();
    this.#requests[job] = request;
    this.#jobs.set(job, this.#attained + work);
    this.#reschedule(nowMs);
    return job;
  }

  /** Drops a request whose caller has given up. */
  cancel(job: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#drop(job);
    this.#reschedule(nowMs);
  }

  /** The request that is done at `nextFinishMs`. */
  finishNext(nowMs: number): number {
    this.#advance(nowMs);
    const job = this.#jobs.top;
    const request = this.#requests[job] as number;
    // Rounding may leave a little: what is done is done.
    if (this.#jobs.topKey > this.#attained) this.#attained = this.#jobs.topKey;
    this.#drop(job);
    this.#reschedule(nowMs);
    return request;
  }

  /** Drops everything, as a process that dies does. @returns the requests it had */
  dropAll(nowMs: number): number[] {
    this.#advance(nowMs);
    const requests: number[] = [];
    while (this.#jobs.size > 0) {
      requests.push(this.#requests[this.#jobs.top] as number);
      this.#drop(this.#jobs.top);
    }
    this.#reschedule(nowMs);
    return requests;
  }

  /** An antagonist takes this many cores from now on. */
  take(cores: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#takenCores = cores;
    this.#reschedule(nowMs);
  }

  /** Works `slowness` times as slowly from now on, or not at all while `frozen`. */
  hamper(slowness: number, frozen: boolean, nowMs: number): void {
    this.#advance(nowMs);
    this.#slowness = slowness;
    this.#frozen = frozen;
    this.#reschedule(nowMs);
  }

  /** Brings the meter up to date. */
  settle(nowMs: number): void {
    this.#advance(nowMs);
  }

  #advance(nowMs: number): void {
    const running = this.#jobs.size;
    const elapsedMs = this.meter.advance(nowMs, running, this.freeCores);
    this.#attained += elapsedMs * this.#rate;
  }

  #reschedule(nowMs: number): void {
    const running = this.#jobs.size;
    if (running === 0) {
      // Starting over keeps `attained` small and so its rounding.
      this.#attained = 0;
      this.nextFinishMs = Number.POSITIVE_INFINITY;
      return;
    }
    const free = this.freeCores;
    this.#rate = this.presentSpeed * (running <= free ? 1 : free / running);
    const left = this.#jobs.topKey - this.#attained;
    this.nextFinishMs =
      this.#rate > 0 ? nowMs + (left > 0 ? left / this.#rate : 0) : Number.POSITIVE_INFINITY;
  }

  #drop(job: number): void {
    this.#jobs.remove(job);
    this.#free.push(job);
  }

  #newPlace(): number {
    if (this.#placeCount === this.#requests.length) {
      const requests = new Int32Array(this.#requests.length * 2);
      requests.set(this.#requests);
      this.#requests = requests;
      this.#jobs.grow(requests.length);
    }
    return this.#placeCount++;
  }
}

const INITIAL_JOBS = 16;
