import type { CircuitState } from '../../model/circuit-state.ts';
import type { CircuitChange } from '../../model/circuit-state.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { LimitSnapshot } from '../../resilience/admission-snapshot.ts';
import type { CircuitSource } from '../../resilience/circuit.ts';
import type { ConcurrencyOptions } from '../../resilience/concurrency/config.ts';
import { ConcurrencyLimiter } from '../../resilience/concurrency/limiter.ts';
import type { Member } from '../member.ts';
import { EndpointGuard } from './endpoint-guard.ts';

export interface EndpointGuardsOptions {
  readonly cluster: string;
  readonly runtime: Runtime;
  /** Undefined: endpoints have no circuits. */
  readonly circuits: CircuitSource | undefined;
  /** Undefined: endpoints have no limits of their own. */
  readonly concurrency: ConcurrencyOptions | undefined;
  readonly memberAt: (slot: number) => Member | undefined;
  readonly onCircuitChanged: (member: Member, change: CircuitChange) => void;
}

/**
 * The guards of all endpoints, by slot. One is made when the first try goes to its endpoint, because a circuit holds some
 * kilobytes and a client often uses a few of many endpoints; it goes when the slot does, so there are never more than
 * members.
 */
export class EndpointGuards {
  readonly #options: EndpointGuardsOptions;
  readonly #bySlot: (EndpointGuard | undefined)[] = [];
  // Kept as they change: load shedding asks for them with every request.
  #activeCount = 0;
  #limitSum = 0;
  #count = 0;
  #closed = false;

  constructor(options: EndpointGuardsOptions) {
    this.#options = options;
  }

  get activeCount(): number {
    return this.#activeCount;
  }

  at(slot: number): EndpointGuard | undefined {
    return this.#bySlot[slot];
  }

  /** The guard of a slot, made now if there is none; undefined for a free slot, and for a new one after the end. */
  take(slot: number): EndpointGuard | undefined {
    return this.#bySlot[slot] ?? this.#create(slot);
  }

  /** The limit of an endpoint on average; 0 while none is known. */
  get meanLimit(): number {
    return this.#count === 0 ? 0 : this.#limitSum / this.#count;
  }

  /** A try has entered (1) or left (-1): its guard has changed. */
  count(guard: EndpointGuard, change: 1 | -1): void {
    this.#activeCount += change;
    this.#recount(guard, guard.limiter?.limit ?? 0);
  }

  /** Forgets the guards whose member is gone. */
  sweep(): void {
    for (const guard of this.#bySlot) {
      if (guard !== undefined) this.sweepSlot(guard.member.slot);
    }
  }

  /** The same for one slot. */
  sweepSlot(slot: number): void {
    const guard = this.#bySlot[slot];
    if (guard === undefined || guard.member === this.#options.memberAt(slot)) return;
    this.#bySlot[slot] = undefined;
    this.#activeCount -= guard.activeCount;
    this.#recount(guard, 0);
    this.#count--;
    guard.close();
  }

  /** The limits together; undefined when there are none. */
  limits(): LimitSnapshot | undefined {
    if (this.#options.concurrency === undefined) return undefined;
    return { limit: this.#limitSum, activeCount: this.#activeCount };
  }

  circuitCounts(): Readonly<Record<CircuitState, number>> | undefined {
    if (this.#options.circuits === undefined) return undefined;
    const counts = { closed: 0, open: 0, 'half-open': 0, shutdown: 0 };
    for (const guard of this.#bySlot) {
      if (guard?.circuit !== undefined) counts[guard.circuit.state]++;
    }
    return counts;
  }

  /** Closes all circuits. */
  close(): void {
    this.#closed = true;
    for (const guard of this.#bySlot) guard?.close();
  }

  #create(slot: number): EndpointGuard | undefined {
    const { cluster, runtime, circuits, concurrency, memberAt, onCircuitChanged } = this.#options;
    const member = memberAt(slot);
    if (member === undefined || this.#closed) return undefined;
    const guard = new EndpointGuard(
      member,
      circuits?.create(`${cluster}/${member.endpoint.id}`, (change) =>
        onCircuitChanged(member, change),
      ),
      concurrency && new ConcurrencyLimiter(concurrency, runtime),
    );
    this.#bySlot[slot] = guard;
    this.#count++;
    this.#recount(guard, guard.limiter?.limit ?? 0);
    return guard;
  }

  #recount(guard: EndpointGuard, limit: number): void {
    this.#limitSum += limit - guard.countedLimit;
    guard.countedLimit = limit;
  }
}
