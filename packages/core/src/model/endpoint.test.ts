import { describe, expect, it } from 'vitest';
import { createEndpoint, endpointsEqual } from './endpoint.ts';
import { createEndpointSet, endpointSetOf, endpointSetsEqual } from './endpoint-set.ts';

describe('createEndpoint', () => {
  it('completes a plain address', () => {
    expect(createEndpoint('h:80')).toMatchObject({
      id: 'h:80',
      hashKey: 'h:80',
      weight: 1,
      priority: 0,
      metadata: {},
      locality: { region: '', zone: '', subzone: '' },
    });
  });

  it('takes one form of address and no more', () => {
    expect(createEndpoint({ host: '::1', port: 80 }).id).toBe('[::1]:80');
    expect(createEndpoint({ unix: '/a' }).id).toBe('unix:/a');
    expect(() => createEndpoint({})).toThrow(/exactly one of/);
    expect(() => createEndpoint({ address: 'h:1', host: 'h', port: 1 })).toThrow(/exactly one of/);
    expect(() => createEndpoint({ host: 'h' }, 'e')).toThrow(/^e\.port/);
  });

  it.each([
    [{ weight: -1 }, 'e.weight: expected an integer from 0 to 1000000, got -1'],
    [{ weight: 1.5 }, 'e.weight: expected an integer from 0 to 1000000, got 1.5'],
    [{ priority: 128 }, 'e.priority: expected an integer from 0 to 127, got 128'],
    [{ id: '' }, 'e.id: expected a text that is not empty, got ""'],
  ])('refuses %j', (fields, message) => {
    expect(() => createEndpoint({ address: 'h:1', ...fields }, 'e')).toThrow(message);
  });

  it('does not follow later changes of what it was made from', () => {
    const metadata = { version: '1' };
    const endpoint = createEndpoint({ address: 'h:1', metadata });
    metadata.version = '2';
    expect(endpoint.metadata['version']).toBe('1');
    expect(Object.isFrozen(endpoint)).toBe(true);
  });
});

describe('endpointsEqual', () => {
  const base = { address: 'h:1', weight: 2, metadata: { a: '1' }, locality: { zone: 'z' } };

  it.each([
    [{ weight: 3 }],
    [{ priority: 1 }],
    [{ metadata: { a: '2' } }],
    [{ metadata: { a: '1', b: '1' } }],
    [{ metadata: { b: '1' } }],
    [{ locality: { zone: 'y' } }],
    [{ hostname: 'x' }],
    [{ hashKey: 'x' }],
    [{ id: 'x' }],
  ])('sees %j', (change) => {
    expect(endpointsEqual(createEndpoint(base), createEndpoint({ ...base, ...change }))).toBe(
      false,
    );
    expect(endpointsEqual(createEndpoint(base), createEndpoint({ ...base }))).toBe(true);
  });
});

describe('EndpointSet', () => {
  it('holds each identity once, the first one given', () => {
    const set = endpointSetOf(['h:1', { address: 'h:1', weight: 9 }, 'h:2']);
    expect(set.endpoints.map(({ id, weight }) => [id, weight])).toEqual([
      ['h:1', 1],
      ['h:2', 1],
    ]);
  });

  it('is equal to another by content, whatever the order', () => {
    expect(endpointSetsEqual(endpointSetOf(['h:1', 'h:2']), endpointSetOf(['h:2', 'h:1']))).toBe(
      true,
    );
    expect(endpointSetsEqual(endpointSetOf(['h:1']), endpointSetOf(['h:1', 'h:2']))).toBe(false);
    expect(
      endpointSetsEqual(endpointSetOf(['h:1']), endpointSetOf([{ address: 'h:1', weight: 2 }])),
    ).toBe(false);
    expect(endpointSetsEqual(createEndpointSet([]), createEndpointSet([]))).toBe(true);
  });

  it('names the position of a bad endpoint', () => {
    expect(() => endpointSetOf(['h:1', 'bad'])).toThrow(/^endpoints\[1\]: expected/);
  });
});
