/** Where a request is. */
export const Place = {
  toServer: 0,
  atServer: 1,
  toClient: 2,
  /** Nowhere: it waits for its next try, or for other tries than this one. */
  waiting: 3,
} as const;

export type Place = (typeof Place)[keyof typeof Place];

/**
 * The requests in flight, and their hedges, a struct of typed arrays. Numbers are reused, so events refer to a
 * request by its number and its serial: `birth` stays for the life of the request, `serial` changes with every attempt,
 * and an event whose serial is not that of the table any more is out of date. A request and its tries, one after the
 * other, are one entry; a hedge is one of its own, whose `head` is that of the request.
 */
export class RequestTable {
  arrivalMs: Float64Array = new Float64Array(INITIAL);
  attemptMs: Float64Array = new Float64Array(INITIAL);
  servedMs: Float64Array = new Float64Array(INITIAL);
  /** Time that the attempt may take. */
  allowedMs: Float64Array = new Float64Array(INITIAL);
  work: Float64Array = new Float64Array(INITIAL);
  client: Int32Array = new Int32Array(INITIAL);
  key: Int32Array = new Int32Array(INITIAL);
  /** Position of its context. */
  context: Int32Array = new Int32Array(INITIAL);
  /** The request of a hedge, else itself. */
  head: Int32Array = new Int32Array(INITIAL);
  server: Int32Array = new Int32Array(INITIAL);
  slot: Int32Array = new Int32Array(INITIAL);
  job: Int32Array = new Int32Array(INITIAL);
  attempts: Int32Array = new Int32Array(INITIAL);
  place: Uint8Array = new Uint8Array(INITIAL);
  outcome: Uint8Array = new Uint8Array(INITIAL);
  /** 1: the attempt is a retry or a hedge. */
  extra: Uint8Array = new Uint8Array(INITIAL);
  /** Requests that the server had already when this one came, where it keeps account of that. */
  others: Int32Array = new Int32Array(INITIAL);
  birth: Int32Array = new Int32Array(INITIAL);
  serial: Int32Array = new Int32Array(INITIAL);
  /** Requests that have not ended. */
  liveCount = 0;

  readonly #free: number[] = [];
  #count = 0;
  #capacity = INITIAL;
  #nextSerial = 1;

  /** A number for a new request. */
  create(): number {
    const request = this.#free.pop() ?? this.#next();
    this.liveCount++;
    this.birth[request] = this.#newSerial();
    this.head[request] = request;
    this.attempts[request] = 0;
    return request;
  }

  /** Begins another attempt: everything that was under way for the last one is out of date. */
  renew(request: number): number {
    const serial = this.#newSerial();
    this.serial[request] = serial;
    return serial;
  }

  /** The request has ended. */
  release(request: number): void {
    this.birth[request] = 0;
    this.serial[request] = 0;
    this.liveCount--;
    this.#free.push(request);
  }

  #newSerial(): number {
    // 0 is nobody's; after 2^31 requests the numbers start over.
    this.#nextSerial = this.#nextSerial === 0x7fff_ffff ? 1 : this.#nextSerial + 1;
    return this.#nextSerial;
  }

  #next(): number {
    if (this.#count === this.#capacity) this.#grow();
    return this.#count++;
  }

  #grow(): void {
    const length = this.#capacity * 2;
    this.arrivalMs = wider(this.arrivalMs, new Float64Array(length));
    this.attemptMs = wider(this.attemptMs, new Float64Array(length));
    this.servedMs = wider(this.servedMs, new Float64Array(length));
    this.allowedMs = wider(this.allowedMs, new Float64Array(length));
    this.work = wider(this.work, new Float64Array(length));
    this.client = wider(this.client, new Int32Array(length));
    this.key = wider(this.key, new Int32Array(length));
    this.context = wider(this.context, new Int32Array(length));
    this.head = wider(this.head, new Int32Array(length));
    this.server = wider(this.server, new Int32Array(length));
    this.slot = wider(this.slot, new Int32Array(length));
    this.job = wider(this.job, new Int32Array(length));
    this.attempts = wider(this.attempts, new Int32Array(length));
    this.place = wider(this.place, new Uint8Array(length));
    this.outcome = wider(this.outcome, new Uint8Array(length));
    this.extra = wider(this.extra, new Uint8Array(length));
    this.others = wider(this.others, new Int32Array(length));
    this.birth = wider(this.birth, new Int32Array(length));
    this.serial = wider(this.serial, new Int32Array(length));
    this.#capacity = length;
  }
}

const INITIAL = 1024;

function wider<T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
