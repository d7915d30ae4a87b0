import { beforeEach, describe, expect, it } from 'vitest';
import { endpointSetOf } from '../model/endpoint-set.ts';
import { LoadTable } from '../model/load-table.ts';
import { Outcome } from '../model/outcome.ts';
import { createManualRuntime, type ManualRuntime } from '../testing/manual-runtime.ts';
import type { Member } from './member.ts';
import { Membership } from './membership.ts';

const DRAIN_MS = 30_000;

describe('Membership', () => {
  let runtime: ManualRuntime;
  let load: LoadTable;
  let log: string[];
  let membership: Membership;

  beforeEach(() => {
    runtime = createManualRuntime();
    load = new LoadTable({ capacity: 1 });
    log = [];
    membership = new Membership({
      load,
      scheduler: runtime.scheduler,
      drainTimeoutMs: DRAIN_MS,
      initialFlags: 0,
      listener: {
        onAdded: (member) => note('added', member),
        onUpdated: (member) => note('updated', member),
        onDraining: (member) => note('draining', member),
        onRevived: (member) => note('revived', member),
        onRemoved: (member, forced) => note(forced ? 'abandoned' : 'removed', member),
      },
    });
  });

  const note = (what: string, member: Member): void =>
    void log.push(`${what} ${member.endpoint.id}`);
  const apply = (...ids: string[]): unknown => membership.apply(endpointSetOf(ids));
  const slotOf = (id: string): number => membership.byId(id)?.slot ?? -1;

  it('keeps slots and numbers of endpoints that stay', () => {
    apply('h:1', 'h:2', 'h:3');
    const slot = slotOf('h:3');
    load.active[slot] = 7;
    apply('h:4', 'h:3', 'h:5', 'h:6', 'h:7');
    expect(slotOf('h:3')).toBe(slot);
    expect(load.active[slot]).toBe(7);
  });

  it('counts what changed', () => {
    apply('h:1', 'h:2');
    const change = membership.apply(endpointSetOf([{ address: 'h:2', weight: 3 }, 'h:9']));
    expect(change).toEqual({ addedCount: 1, updatedCount: 1, removedCount: 1 });
    expect(membership.byId('h:2')?.endpoint.weight).toBe(3);
  });

  it('frees the slot of an idle endpoint at once and clears it for the next', () => {
    apply('h:1');
    const slot = slotOf('h:1');
    load.outcomes[slot * 8 + Outcome.reset] = 5;
    apply();
    expect(membership.at(slot)).toBeUndefined();
    apply('h:2');
    expect(slotOf('h:2')).toBe(slot);
    expect(load.finishedCount(slot, Outcome.reset)).toBe(0);
  });

  it('lets a busy endpoint finish before its slot is free', () => {
    apply('h:1');
    const slot = slotOf('h:1');
    load.active[slot] = 1;
    apply();
    expect(membership.at(slot)?.state).toBe('draining');
    load.active[slot] = 0;
    membership.onIdle(slot);
    expect(membership.at(slot)).toBeUndefined();
    expect(membership.leavingCount).toBe(0);
    expect(runtime.scheduler.pendingCount).toBe(0);
    expect(log).toEqual(['added h:1', 'draining h:1', 'removed h:1']);
  });

  it('takes a draining endpoint back with its slot and its requests', () => {
    apply('h:1');
    const slot = slotOf('h:1');
    load.active[slot] = 2;
    apply();
    apply('h:1');
    expect(slotOf('h:1')).toBe(slot);
    expect(load.active[slot]).toBe(2);
    expect(membership.at(slot)?.state).toBe('healthy');
    expect(membership.leavingCount).toBe(0);
    runtime.scheduler.advance(DRAIN_MS * 2);
    expect(slotOf('h:1')).toBe(slot);
  });

  it('gives up on requests that never end, but does not hand their slot to a stranger', () => {
    apply('h:1');
    const slot = slotOf('h:1');
    load.active[slot] = 1;
    apply('h:2');
    runtime.scheduler.advance(DRAIN_MS);
    expect(log.at(-1)).toBe('abandoned h:1');
    expect(membership.size).toBe(1);
    apply('h:2', 'h:3');
    expect(slotOf('h:3')).not.toBe(slot);
    load.active[slot] = 0;
    membership.onIdle(slot);
    apply('h:2', 'h:3', 'h:4');
    expect(slotOf('h:4')).toBe(slot);
  });

  it('gives an abandoned slot back to the same endpoint', () => {
    apply('h:1');
    const slot = slotOf('h:1');
    load.active[slot] = 1;
    apply();
    runtime.scheduler.advance(DRAIN_MS);
    apply('h:1');
    expect(slotOf('h:1')).toBe(slot);
    expect(log.at(-1)).toBe('added h:1');
    load.active[slot] = 0;
    membership.onIdle(slot);
    expect(slotOf('h:1')).toBe(slot);
    expect(membership.leavingCount).toBe(0);
  });

  it('leaves no timer behind', () => {
    apply('h:1');
    load.active[slotOf('h:1')] = 1;
    apply();
    expect(runtime.scheduler.pendingCount).toBe(1);
    membership.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
  });
});
