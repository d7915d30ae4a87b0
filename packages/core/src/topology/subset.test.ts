import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import {
  hasLabels,
  type Labels,
  MAX_SUBSETS,
  SubsetIndex,
  subsetName,
  type SubsetSelector,
  subsetsOf,
} from './subset.ts';

const endpoint = (port: number, metadata: Labels) =>
  createEndpoint({ address: `h:${port}`, metadata });

const ENDPOINTS = [
  endpoint(1, { version: 'v1', stage: 'prod' }),
  endpoint(2, { version: 'v1', stage: 'test' }),
  endpoint(3, { version: 'v2', stage: 'prod' }),
  endpoint(4, { stage: 'prod' }),
];

const FLEET = ENDPOINTS.map((each) => ({ endpoint: each }));

const selector = (...keys: string[]): SubsetSelector => ({ keys, fallback: 'none' });

describe('subsetName', () => {
  it('does not depend on the order of the labels', () => {
    expect(subsetName({ version: 'v1', stage: 'prod' })).toBe('stage=prod,version=v1');
    expect(subsetName({ stage: 'prod', version: 'v1' })).toBe('stage=prod,version=v1');
  });

  it('is another one for other labels, whatever characters they contain', () => {
    const tricky: Labels[] = [
      { a: 'b,c=d' },
      { a: 'b', c: 'd' },
      { 'a=b,c': 'd' },
      { a: 'b\\,c=d' },
    ];
    expect(new Set(tricky.map(subsetName)).size).toBe(tricky.length);
  });
});

describe('hasLabels', () => {
  it('wants all of them', () => {
    expect(hasLabels(ENDPOINTS[0]!, {})).toBe(true);
    expect(hasLabels(ENDPOINTS[0]!, { version: 'v1' })).toBe(true);
    expect(hasLabels(ENDPOINTS[0]!, { version: 'v1', stage: 'test' })).toBe(false);
    expect(hasLabels(ENDPOINTS[3]!, { version: 'v1' })).toBe(false);
  });
});

describe('subsetsOf', () => {
  it('lists the combinations that occur, each once', () => {
    const { subsets, leftOutCount } = subsetsOf(FLEET, [
      selector('version'),
      selector('stage', 'version'),
      selector('version'),
    ]);
    expect(subsets.map(({ labels }) => subsetName(labels))).toEqual([
      'stage=prod,version=v1',
      'stage=prod,version=v2',
      'stage=test,version=v1',
      'version=v1',
      'version=v2',
    ]);
    expect(leftOutCount).toBe(0);
  });

  it('hands over who is in them', () => {
    const { subsets } = subsetsOf(FLEET, [selector('stage', 'version')]);
    const ids = subsets.map(({ members }) => members.map(({ endpoint: { id } }) => id));
    expect(ids).toEqual([['h:1'], ['h:3'], ['h:2']]);
  });

  it('makes none of a label that nobody carries', () => {
    expect(subsetsOf(FLEET, [selector('colour')]).subsets).toEqual([]);
    // Nor of what every object carries.
    expect(subsetsOf(FLEET, [selector('constructor')]).subsets).toEqual([]);
  });

  it('is bounded, in the same way for every order of the endpoints', () => {
    const many = Array.from({ length: MAX_SUBSETS + 44 }, (_, index) => ({
      endpoint: endpoint(index + 1, { id: `${index}` }),
    }));
    const forth = subsetsOf(many, [selector('id')]);
    expect(forth.subsets).toHaveLength(MAX_SUBSETS);
    expect(forth.leftOutCount).toBe(44);
    expect(subsetsOf(many.toReversed(), [selector('id')])).toEqual(forth);
  });
});

describe('SubsetIndex', () => {
  const selectors: readonly SubsetSelector[] = [
    selector('version'),
    { keys: ['stage', 'version'], fallback: 'any' },
  ];
  const { subsets } = subsetsOf(FLEET, selectors);
  const index = new SubsetIndex(
    selectors,
    subsets.map(({ labels }) => [labels, subsetName(labels)] as const),
  );

  it.each([
    [{ version: 'v1' }, 'version=v1'],
    [{ version: 'v2', stage: 'prod' }, 'stage=prod,version=v2'],
    [{ stage: 'prod', version: 'v2' }, 'stage=prod,version=v2'],
    [{ version: 'v3' }, undefined],
    [{ version: 'v2', stage: 'test' }, undefined],
    [{ stage: 'prod' }, undefined],
    [{ version: 'v1', stage: 'prod', colour: 'red' }, undefined],
    [{}, undefined],
  ])('%j leads to %s', (labels, found) => {
    expect(index.find(labels as Labels)).toBe(found);
  });

  it('knows the fallback of the selector that a request used', () => {
    expect(index.fallbackOf({ version: 'v3' })).toBe('none');
    expect(index.fallbackOf({ version: 'v2', stage: 'test' })).toBe('any');
    expect(index.fallbackOf({ colour: 'red' })).toBeUndefined();
  });

  it('looks at own properties only', () => {
    const inherited = Object.create({ version: 'v1' }) as Labels;
    expect(index.find(inherited)).toBeUndefined();
  });
});
