import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import type { Members } from '../model/members.ts';
import { LoadTable } from '../model/load-table.ts';
import { XorShift128 } from '../runtime/random.ts';
import { BUILT_IN_POLICIES } from './built-in.ts';
import { KeyedBalancer } from './keyed-balancer.ts';
import { PolicyRegistry } from './registry.ts';
import { hashKeys } from './test-support/keyed.ts';

interface MemberInput {
  readonly slot: number;
  readonly port: number;
  readonly weight?: number;
  readonly metadata?: Record<string, string>;
}

function membersOf(...inputs: readonly MemberInput[]): Members {
  return {
    version: 1,
    slots: Int32Array.from(inputs, ({ slot }) => slot),
    weights: Float64Array.from(inputs, ({ weight = 1 }) => weight),
    endpoints: inputs.map(({ port, metadata }) =>
      createEndpoint({ address: `10.0.0.1:${port}`, metadata }),
    ),
  };
}

const A = { slot: 0, port: 1 };
const B = { slot: 1, port: 2 };
const C = { slot: 2, port: 3 };

/** The balancers of the policies that own a table. */
const TABLE_POLICIES = ['maglev', 'ring-hash', 'ketama', 'rendezvous'];

function createBalancer(name: string): KeyedBalancer<object> {
  const registry = new PolicyRegistry(BUILT_IN_POLICIES);
  const environment = { load: new LoadTable(), random: new XorShift128(1) };
  const balancer = registry.create(registry.decode(name), environment);
  expect(balancer).toBeInstanceOf(KeyedBalancer);
  return balancer as KeyedBalancer<object>;
}

describe.each(TABLE_POLICIES)('the table of %s', (name) => {
  it.each([
    ['nothing changes', [A, B, C]],
    ['metadata change', [A, B, { ...C, metadata: { version: '2' } }]],
    ['slots change', [{ ...B, slot: 4 }, A, C]],
  ])('is kept when %s', (_change, next) => {
    const balancer = createBalancer(name);
    const before = balancer.update(membersOf(A, B, C));
    const after = balancer.update(membersOf(...next), before);
    expect(balancer.tableOf(after)).toBe(balancer.tableOf(before));
  });

  it.each([
    ['a member leaves', [A, B]],
    ['a member joins', [A, B, C, { slot: 3, port: 4 }]],
    ['a weight changes', [A, B, { ...C, weight: 0.5 }]],
    ['a member is replaced', [A, B, { slot: 2, port: 9 }]],
  ])('is built anew when %s', (_change, next) => {
    const balancer = createBalancer(name);
    const before = balancer.update(membersOf(A, B, C));
    const after = balancer.update(membersOf(...next), before);
    expect(balancer.tableOf(after)).not.toBe(balancer.tableOf(before));
  });

  it('leads to the new slots after they change', () => {
    const balancer = createBalancer(name);
    const before = balancer.update(membersOf(A, B, C));
    const keys = hashKeys(50);
    const old = keys.map((hashKey) => before.pick({ hashKey }, 0));
    const after = balancer.update(
      membersOf({ ...A, slot: 10 }, { ...B, slot: 11 }, { ...C, slot: 12 }),
      before,
    );
    expect(keys.map((hashKey) => after.pick({ hashKey }, 0))).toEqual(old.map((slot) => slot + 10));
  });

  it('leaves the picker in use as it is while the next one is built', () => {
    const balancer = createBalancer(name);
    const before = balancer.update(membersOf(A, B, C));
    const keys = hashKeys(50);
    const old = keys.map((hashKey) => before.pick({ hashKey }, 0));
    const next = balancer.update(membersOf(B), before);
    balancer.update(membersOf(), next);
    expect(keys.map((hashKey) => before.pick({ hashKey }, 0))).toEqual(old);
  });
});

describe('KeyedBalancer', () => {
  it('hands the earlier table on, so that its parts can be used again', () => {
    const seen: (string | undefined)[] = [];
    const balancer = new KeyedBalancer<string>({
      build: ({ keys }, earlier) => {
        seen.push(earlier);
        return keys.join();
      },
      createPicker: () => ({ pick: () => 0, explain: () => [] }),
    });
    const first = balancer.update(membersOf(A));
    const second = balancer.update(membersOf(A, B), first);
    expect(seen).toEqual([undefined, '10.0.0.1:1']);
    expect(balancer.tableOf(second)).toBe('10.0.0.1:1,10.0.0.1:2');
  });

  it('keeps the tables of several groups apart', () => {
    const balancer = createBalancer('maglev');
    const one = balancer.update(membersOf(A, B));
    const other = balancer.update(membersOf(B, C));
    const same = balancer.update(membersOf(A, B), one);
    expect(balancer.tableOf(same)).toBe(balancer.tableOf(one));
    expect(balancer.tableOf(other)).not.toBe(balancer.tableOf(one));
  });
});
