import type { Endpoint } from '../model/endpoint.ts';
import { endpointsEqual } from '../model/endpoint.ts';
import type { EndpointSet } from '../model/endpoint-set.ts';
import { HealthFlag } from '../model/health-state.ts';
import type { LoadTable } from '../model/load-table.ts';
import { SlotAllocator } from '../model/slot-allocator.ts';
import type { Scheduler } from '../runtime/scheduler.ts';
import { Member } from './member.ts';

export interface MembershipOptions {
  readonly load: LoadTable;
  readonly scheduler: Scheduler;
  /** How long a leaving member may finish its requests. */
  readonly drainTimeoutMs: number;
  /** Health flags of a new member. */
  readonly initialFlags: number;
  readonly listener: MembershipListener;
}

/** Hears of single members. */
export interface MembershipListener {
  onAdded(member: Member): void;
  onUpdated(member: Member): void;
  onDraining(member: Member): void;
  onRevived(member: Member): void;
  /** `forced`: requests were still in flight when the drain time was over. */
  onRemoved(member: Member, forced: boolean): void;
}

/** What one endpoint set changed. */
export interface MembershipChange {
  readonly addedCount: number;
  readonly updatedCount: number;
  readonly removedCount: number;
}

/**
 * Which endpoint sits in which slot. Applies whole sets and works out the difference:
 *
 * ```text
 *             in the set          not in the set, idle or drained
 *   (none) ──────────────► member ──────────────► draining ──────────► removed, slot free
 *                            ▲   ◄───────────────────┘ │ in the set again
 *                            └── state is kept         └ drain time over, still busy: abandoned until idle
 * ```
 *
 * An abandoned slot is not given to another endpoint before its last request has ended, or that end would be counted
 * against a stranger. The same endpoint may have it back at once.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #slots = new SlotAllocator();
  readonly #bySlot: (Member | undefined)[] = [];
  readonly #byId = new Map<string, Member>();
  #leavingCount = 0;
  #abandonedCount = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Members that drain or are abandoned: while 0, an ending request need not look further. */
  get leavingCount(): number {
    return this.#leavingCount;
  }

  /** Members, the draining ones included, the abandoned ones not. */
  get size(): number {
    return this.#byId.size - this.#abandonedCount;
  }

  at(slot: number): Member | undefined {
    return this.#bySlot[slot];
  }

  byId(id: string): Member | undefined {
    const member = this.#byId.get(id);
    return member?.abandoned === true ? undefined : member;
  }

  /** All members by ascending slot, the draining ones included, the abandoned ones not. */
  *all(): Generator<Member, void, undefined> {
    for (const member of this.#bySlot) {
      if (member !== undefined && !member.abandoned) yield member;
    }
  }

  apply(set: EndpointSet): MembershipChange {
    let addedCount = 0;
    let updatedCount = 0;
    let removedCount = 0;
    for (const member of [...this.#byId.values()]) {
      if (!set.byId.has(member.endpoint.id) && !member.has(HealthFlag.draining)) {
        removedCount++;
        this.#drain(member);
      }
    }
    for (const endpoint of set.endpoints) {
      const member = this.#byId.get(endpoint.id);
      if (member === undefined) {
        addedCount++;
        this.#add(endpoint);
      } else if (member.abandoned) {
        addedCount++;
        this.#readmit(member, endpoint);
      } else if (this.#keep(member, endpoint)) updatedCount++;
    }
    return { addedCount, updatedCount, removedCount };
  }

  /** A slot has no request in flight any more: if it was leaving, it is free now. */
  onIdle(slot: number): void {
    const member = this.#bySlot[slot];
    if (member === undefined || !member.has(HealthFlag.draining)) return;
    if (member.abandoned) {
      this.#abandonedCount--;
      this.#free(member);
    } else this.#remove(member, false);
  }

  /** Cancels all drain timers. */
  close(): void {
    for (const member of this.#bySlot) member?.drainTimer?.cancel();
  }

  #add(endpoint: Endpoint): void {
    const { load, initialFlags, listener } = this.#options;
    const slot = this.#slots.assign(endpoint.id);
    load.ensureCapacity(this.#slots.slotCount);
    load.resetSlot(slot);
    const member = new Member(slot, endpoint, initialFlags);
    this.#bySlot[slot] = member;
    this.#byId.set(endpoint.id, member);
    listener.onAdded(member);
  }

  #readmit(member: Member, endpoint: Endpoint): void {
    member.abandoned = false;
    this.#abandonedCount--;
    member.list(endpoint);
    member.weigh(undefined);
    member.flags = this.#options.initialFlags;
    member.warmsSinceMs = undefined;
    this.#leavingCount--;
    this.#options.listener.onAdded(member);
  }

  /** @returns whether anything about the member changed */
  #keep(member: Member, endpoint: Endpoint): boolean {
    const { listener } = this.#options;
    const revived = member.has(HealthFlag.draining);
    if (revived) {
      member.flags &= ~HealthFlag.draining;
      member.reason = 'listed again';
      member.drainTimer?.cancel();
      member.drainTimer = undefined;
      this.#leavingCount--;
    }
    const changed = !endpointsEqual(member.listed, endpoint);
    if (changed) {
      member.list(endpoint);
      listener.onUpdated(member);
    }
    if (revived) listener.onRevived(member);
    return changed || revived;
  }

  #drain(member: Member): void {
    const { load, scheduler, drainTimeoutMs, listener } = this.#options;
    member.flags |= HealthFlag.draining;
    member.reason = 'no longer listed by discovery';
    this.#leavingCount++;
    listener.onDraining(member);
    if (load.active[member.slot] === 0) this.#remove(member, false);
    else member.drainTimer = scheduler.after(drainTimeoutMs, () => this.#remove(member, true));
  }

  #remove(member: Member, forced: boolean): void {
    member.drainTimer?.cancel();
    member.drainTimer = undefined;
    if (forced) {
      member.abandoned = true;
      this.#abandonedCount++;
    } else this.#free(member);
    this.#options.listener.onRemoved(member, forced);
  }

  #free(member: Member): void {
    this.#bySlot[member.slot] = undefined;
    this.#byId.delete(member.endpoint.id);
    this.#slots.release(member.endpoint.id);
    this.#leavingCount--;
  }
}
