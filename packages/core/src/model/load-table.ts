import { OUTCOME_COUNT, type Outcome } from './outcome.ts';

/**
 * Per-endpoint numbers as a struct of typed arrays, indexed by slot.
 *
 * ```text
 * slot        0     1     2     3    ...
 * active    [ 2 ] [ 0 ] [ 7 ] [ 0 ]        requests in flight
 * outcomes  [8 counters][8 counters]...    finished requests by outcome
 * column A  [ x ] [ x ] [ x ] [ x ]        added by a policy: latency average, penalty ...
 * ```
 *
 * A slot belongs to one endpoint for its life, so membership changes move nothing. Growing replaces the arrays: read
 * them through the table (`table.active[slot]`) or fetch them again in `Balancer.update`, which always runs after a
 * growth and before the new slots are picked.
 */
export class LoadTable {
  /** Requests in flight. */
  active: Int32Array;
  /** Finished requests: `outcomes[slot * OUTCOME_COUNT + outcome]`. */
  outcomes: Float64Array;

  /** Finished requests of endpoints whose slots went to others. */
  readonly #former = new Float64Array(OUTCOME_COUNT);
  readonly #allocate: Allocate;
  readonly #columns: Column[] = [];
  #capacity: number;

  constructor(options: LoadTableOptions = {}) {
    this.#allocate = options.allocate ?? ((bytes) => new ArrayBuffer(bytes));
    this.#capacity = Math.max(1, options.capacity ?? 16);
    this.active = new Int32Array(this.#allocate(this.#capacity * 4));
    this.outcomes = new Float64Array(this.#allocate(this.#capacity * OUTCOME_COUNT * 8));
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes held per slot, columns included. */
  get bytesPerSlot(): number {
    return 4 + OUTCOME_COUNT * 8 + this.#columns.length * 8;
  }

  /** Adds a column of numbers that starts at `initial` for every new endpoint. */
  addColumn(initial: number): Column {
    const column = new Column(initial, this.#newValues(initial));
    this.#columns.push(column);
    return column;
  }

  /** Takes a column away again, when its policy is replaced. */
  removeColumn(column: Column): void {
    const index = this.#columns.indexOf(column);
    if (index >= 0) this.#columns.splice(index, 1);
  }

  /** Makes room for slots 0..slots-1; existing values stay. */
  ensureCapacity(slots: number): void {
    if (slots <= this.#capacity) return;
    let capacity = this.#capacity;
    while (capacity < slots) capacity *= 2;
    this.#capacity = capacity;
    const { active, outcomes } = this;
    this.active = new Int32Array(this.#allocate(capacity * 4));
    this.active.set(active);
    this.outcomes = new Float64Array(this.#allocate(capacity * OUTCOME_COUNT * 8));
    this.outcomes.set(outcomes);
    for (const column of this.#columns) {
      const values = this.#newValues(column.initial);
      values.set(column.values);
      column.values = values;
    }
  }

  /** Clears a slot before it is given to another endpoint. Its counts stay in {@link totalFinishedCount}. */
  resetSlot(slot: number): void {
    this.active[slot] = 0;
    for (let outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
      this.#former[outcome] =
        (this.#former[outcome] as number) +
        (this.outcomes[slot * OUTCOME_COUNT + outcome] as number);
    }
    this.outcomes.fill(0, slot * OUTCOME_COUNT, (slot + 1) * OUTCOME_COUNT);
    for (const column of this.#columns) column.values[slot] = column.initial;
  }

  /** Finished requests of a slot with one outcome. */
  finishedCount(slot: number, outcome: Outcome): number {
    return this.outcomes[slot * OUTCOME_COUNT + outcome] ?? 0;
  }

  /** Requests ever started on a slot: the finished ones and those in flight. */
  startedCount(slot: number): number {
    let count = this.active[slot] ?? 0;
    for (let outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
      count += this.outcomes[slot * OUTCOME_COUNT + outcome] ?? 0;
    }
    return count;
  }

  /** Requests with one outcome over all endpoints there ever were: never falls, so it can feed a counter. */
  totalFinishedCount(outcome: Outcome): number {
    let count = this.#former[outcome] as number;
    for (let at: number = outcome; at < this.outcomes.length; at += OUTCOME_COUNT)
      count += this.outcomes[at] as number;
    return count;
  }

  /** Requests in flight over all slots, those of drained endpoints included. */
  totalActiveCount(): number {
    return this.active.reduce((sum, count) => sum + count, 0);
  }

  #newValues(initial: number): Float64Array {
    const values = new Float64Array(this.#allocate(this.#capacity * 8));
    return initial === 0 ? values : values.fill(initial);
  }
}

/** One number per slot, kept by a policy or a detector. `values` is replaced when the table grows. */
export class Column {
  readonly initial: number;
  values: Float64Array;

  constructor(initial: number, values: Float64Array) {
    this.initial = initial;
    this.values = values;
  }
}

/** Gives the memory behind the arrays; hand out SharedArrayBuffers to let worker threads see one load. */
export type Allocate = (bytes: number) => ArrayBuffer | SharedArrayBuffer;

export interface LoadTableOptions {
  /** Slots to make room for at first. Default 16; grows by doubling. */
  readonly capacity?: number;
  /** Default: private memory. */
  readonly allocate?: Allocate;
}
