import { describe, expect, it } from 'vitest';
import { decodeEntries, decodeEntry, type EntryRules } from './health-entry.ts';

const RULES: EntryRules = { accept: 'warning', taggedAddress: undefined };

interface EntryParts {
  readonly node?: object;
  readonly service?: object;
  readonly checks?: unknown;
}

/** An entry as Consul 1.8.7 answers it, without what nobody looks at. */
function entry({ node = {}, service = {}, checks = [] }: EntryParts = {}): object {
  return {
    Node: {
      Node: 'node-1',
      Address: '192.0.2.1',
      Datacenter: 'dc1',
      TaggedAddresses: { lan: '192.0.2.1', wan: '198.51.100.1' },
      Meta: { 'consul-network-segment': '', rack: 'r7' },
      ...node,
    },
    Service: {
      ID: 'web-1',
      Service: 'web',
      Tags: [],
      Address: '10.0.0.1',
      Port: 80,
      Meta: {},
      Weights: { Passing: 10, Warning: 3 },
      ...service,
    },
    Checks: checks,
  };
}

const check = (Status: string, CheckID = 'c1'): object => ({ CheckID, Status });
const endpointOf = (parts: EntryParts, rules: EntryRules = RULES) =>
  decodeEntry(entry(parts), rules)?.endpoint;

describe('decodeEntry', () => {
  it.each([
    { checks: [], weight: 10 },
    { checks: null, weight: 10 },
    { checks: [check('passing'), check('passing', 'c2')], weight: 10 },
    { checks: [check('passing'), check('warning', 'c2')], weight: 3 },
    { checks: [check('warning'), check('critical', 'c2')], weight: undefined },
    { checks: [check('something new')], weight: undefined },
    { checks: [check('critical', '_node_maintenance')], weight: undefined },
  ])('checks $checks give weight $weight', ({ checks, weight }) => {
    expect(endpointOf({ checks })?.weight).toBe(weight);
  });

  it.each([
    { accept: 'any', id: 'c1', weight: 3 },
    { accept: 'any', id: '_node_maintenance', weight: undefined },
    { accept: 'any', id: '_service_maintenance:web-1', weight: undefined },
    { accept: 'passing', id: 'c1', weight: undefined },
  ] as const)('accept: $accept gives a critical $id the weight $weight', (row) => {
    const rules = { ...RULES, accept: row.accept };
    expect(endpointOf({ checks: [check('critical', row.id)] }, rules)?.weight).toBe(row.weight);
  });

  it('leaves a warning out with accept: passing', () => {
    expect(
      endpointOf({ checks: [check('warning')] }, { ...RULES, accept: 'passing' }),
    ).toBeUndefined();
  });

  it.each([
    { weights: { Passing: 0, Warning: 1 }, weight: 0 },
    { weights: { Passing: 65_535, Warning: 1 }, weight: 65_535 },
    { weights: { Passing: 9e9, Warning: 1 }, weight: 1_000_000 },
    { weights: { Passing: -1, Warning: 1 }, weight: 1 },
    { weights: { Passing: 'ten' }, weight: 1 },
    { weights: undefined, weight: 1 },
    { weights: null, weight: 1 },
  ])('weights $weights give $weight', ({ weights, weight }) => {
    expect(endpointOf({ service: { Weights: weights } })?.weight).toBe(weight);
  });

  it('reaches an instance without an address at its node', () => {
    expect(endpointOf({ service: { Address: '' } })?.id).toBe('192.0.2.1:80');
  });

  it.each([
    {
      service: { TaggedAddresses: { wan: { Address: '203.0.113.9', Port: 8080 } } },
      id: '203.0.113.9:8080',
    },
    { service: {}, id: '198.51.100.1:80' },
    { service: {}, node: { TaggedAddresses: null }, id: '10.0.0.1:80' },
  ])('uses the tagged address $id', ({ service, node, id }) => {
    const parts = node === undefined ? { service } : { service, node };
    expect(endpointOf(parts, { ...RULES, taggedAddress: 'wan' })?.id).toBe(id);
  });

  it('passes labels through, each kind under a name of its own', () => {
    const endpoint = endpointOf({
      node: { Partition: 'p' },
      service: {
        Tags: ['blue', '', 7],
        Meta: { version: '2', 'consul.node': 'forged', 'tag.blue': 'forged', empty: '', odd: 7 },
        Namespace: 'team',
        Partition: 'part',
        PeerName: 'peer',
      },
    });
    expect(endpoint?.metadata).toEqual({
      'consul.status': 'passing',
      'consul.id': 'web-1',
      'consul.node': 'node-1',
      'consul.datacenter': 'dc1',
      'consul.namespace': 'team',
      'consul.partition': 'part',
      'consul.peer': 'peer',
      'tag.blue': 'true',
      'node.rack': 'r7',
      version: '2',
    });
  });

  it('bounds how many labels an instance may have', () => {
    const Tags = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
    expect(Object.keys(endpointOf({ service: { Tags } })?.metadata ?? {})).toHaveLength(256);
  });

  it.each([
    { parts: {}, locality: { region: 'dc1', zone: '', subzone: '' } },
    {
      parts: { service: { Meta: { zone: 'a', region: 'eu', subzone: 'rack-1' } } },
      locality: { region: 'eu', zone: 'a', subzone: 'rack-1' },
    },
    {
      parts: { node: { Meta: { zone: 'b' } }, service: { Meta: { zone: 'a' } } },
      locality: { region: 'dc1', zone: 'a', subzone: '' },
    },
    {
      parts: { node: { Meta: { zone: 'b' } } },
      locality: { region: 'dc1', zone: 'b', subzone: '' },
    },
    {
      parts: { node: { Locality: { Region: 'us', Zone: 'us-1' }, Meta: { zone: 'b' } } },
      locality: { region: 'us', zone: 'us-1', subzone: '' },
    },
  ])('$locality', ({ parts, locality }) => {
    expect(endpointOf(parts)?.locality).toEqual(locality);
  });
});

describe('decodeEntries', () => {
  const good = entry();
  const other = entry({ service: { Address: '10.0.0.2' } });

  it('leaves out what makes no sense, with a complaint', () => {
    const { endpoints, complaint } = decodeEntries(
      [good, entry({ service: { Port: 0 } }), null, other],
      RULES,
    );
    expect(endpoints.map(({ id }) => id)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    expect(complaint).toMatch(/^2 instances left out, the first: instance 1: entry\.port/u);
  });

  it.each([
    { what: 'no list', raw: { Nodes: [] } },
    { what: 'nonsense only', raw: [null, 7, 'x'] },
    { what: 'a number', raw: 7 },
    { what: 'null', raw: null },
  ])('refuses $what', ({ raw }) => {
    expect(() => decodeEntries(raw, RULES)).toThrow(/no list|no object/u);
  });

  it('takes an empty list for what it is', () => {
    expect(decodeEntries([], RULES)).toEqual({ endpoints: [], complaint: undefined });
  });

  it('of twins at one address takes the healthier one', () => {
    const sick = entry({ checks: [check('warning')] });
    for (const list of [
      [sick, good],
      [good, sick],
    ]) {
      expect(decodeEntries(list, RULES).endpoints.map(({ weight }) => weight)).toEqual([10]);
    }
  });
});
