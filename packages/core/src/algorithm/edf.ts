import { checkWeights } from './check.ts';
import { uniformUnit53, type RandomSource } from './random-source.ts';

/** Virtual time at which the clock is set back: a double then still resolves 10^-7 of a mean period. */
const REBASE_TIME = 2 ** 30;

export interface EdfOptions {
  /** Where each scheduler starts; without it all start alike, and fleets of clients march in step. */
  readonly random?: RandomSource;
}

/**
 * Weighted round robin by earliest deadline first: endpoint i is due every 1/w_i units of virtual time, and the one that
 * is due first is picked. O(log N) a pick, so it suits thousands of endpoints.
 *
 * Where in its period an endpoint starts matters. If all start at 0 (or at the end of their first period), equal weights
 * come due together: 5 endpoints of weight 20 and 95 of weight 1 run 10 picks ahead of their share. Here newcomers
 * start at the points of a van der Corput sequence (0, 1/2, 1/4, 3/4, ...), turned by one random angle per
 * scheduler: evenly spread however many there are, and different for every client. The deviation stays below 4 picks.
 *
 * Endpoints are small integers of the caller's choice (indexes, slots).
 */
export class EdfScheduler {
  readonly #random: RandomSource | undefined;
  #turn: number | undefined;
  /** Newcomers so far: index into the van der Corput sequence. */
  #arrivals = 0;

  /** By member: its number for the caller and the virtual time between two of its picks. */
  #endpoints = new Int32Array(0);
  #periods: Float64Array = new Float64Array(0);
  /** Binary heap on the deadlines, children of i at 2i + 1 and 2i + 2: parallel arrays of deadlines and members. */
  #deadlines: Float64Array = new Float64Array(0);
  #members = new Uint32Array(0);
  /** Virtual time: the deadline of the last pick. */
  #now = 0;

  constructor(options: EdfOptions = {}) {
    this.#random = options.random;
  }

  /** Number of endpoints. */
  get size(): number {
    return this.#endpoints.length;
  }

  /**
   * Takes new members and weights. An endpoint that stays keeps the part of its period that is still to run, also when
   * its weight changes. O(N).
   *
   * @param endpoints distinct integers
   * @param weights one for each, above 0. Default 1 each
   * @throws RangeError, TypeError for bad weights; the old members then stay
   */
  update(endpoints: ArrayLike<number>, weights?: ArrayLike<number>): void {
    const checked = checkWeights(endpoints.length, weights);
    const { length } = checked;
    const phases = this.#phases();
    const mean = checked.reduce((total, weight) => total + weight, 0) / length;
    this.#endpoints = Int32Array.from(endpoints);
    this.#periods = checked.map((weight) => mean / weight);
    this.#members = Uint32Array.from({ length }, (_, member) => member);
    this.#deadlines = Float64Array.from(this.#endpoints, (endpoint, member) => {
      const phase = phases.get(endpoint) ?? this.#nextPhase();
      return phase * (this.#periods[member] as number);
    });
    this.#now = 0;
    for (let parent = (length >>> 1) - 1; parent >= 0; parent--) this.#sink(parent);
  }

  /** The next endpoint, or -1 when there is none. */
  pick(): number {
    if (this.#members.length === 0) return -1;
    const member = this.#members[0] as number;
    const now = this.#deadlines[0] as number;
    this.#now = now;
    this.#deadlines[0] = now + (this.#periods[member] as number);
    this.#sink(0);
    if (now > REBASE_TIME) this.#rebase();
    return this.#endpoints[member] as number;
  }

  /** Moves the member at a place of the heap down to where it belongs. */
  #sink(place: number): void {
    const deadlines = this.#deadlines;
    const members = this.#members;
    const deadline = deadlines[place] as number;
    const member = members[place] as number;
    const { length } = deadlines;
    let at = place;
    for (let child = 2 * at + 1; child < length; child = 2 * at + 1) {
      // The earlier of two children. Comparing with undefined, past the end, is false.
      if (child + 1 < length && (deadlines[child + 1] as number) < (deadlines[child] as number))
        child++;
      const childDeadline = deadlines[child] as number;
      if (childDeadline >= deadline) break;
      deadlines[at] = childDeadline;
      members[at] = members[child] as number;
      at = child;
    }
    deadlines[at] = deadline;
    members[at] = member;
  }

  /** For each endpoint the part of its period, 0..1, until its next pick. */
  #phases(): Map<number, number> {
    const phases = new Map<number, number>();
    for (const [place, member] of this.#members.entries()) {
      const left = (this.#deadlines[place] as number) - this.#now;
      phases.set(this.#endpoints[member] as number, left / (this.#periods[member] as number));
    }
    return phases;
  }

  #nextPhase(): number {
    this.#turn ??= this.#random === undefined ? 0 : uniformUnit53(this.#random);
    const phase = vanDerCorput(this.#arrivals++) + this.#turn;
    return phase >= 1 ? phase - 1 : phase;
  }

  #rebase(): void {
    for (let place = 0; place < this.#deadlines.length; place++) {
      this.#deadlines[place] = (this.#deadlines[place] as number) - this.#now;
    }
    this.#now = 0;
  }
}

/** The binary digits of an index, mirrored at the point: 0, 1/2, 1/4, 3/4, 1/8, ... (van der Corput 1935). */
export function vanDerCorput(index: number): number {
  let result = 0;
  let digit = 0.5;
  for (let rest = index; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result += digit;
    digit /= 2;
  }
  return result;
}
