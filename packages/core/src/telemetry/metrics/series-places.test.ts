import { describe, expect, it } from 'vitest';
import { SeriesPlaces } from './series-places.ts';

const endpoints = (...ids: string[]): { id: string }[] => ids.map((id) => ({ id }));
const ids = (chosen: readonly { id: string }[]): string => chosen.map(({ id }) => id).join('');

describe('SeriesPlaces', () => {
  it('gives everyone a place while there are enough', () => {
    const places = new SeriesPlaces(3);
    expect(ids(places.choose(endpoints('a', 'b', 'c')))).toBe('abc');
  });

  it('keeps the places of those who came first, wherever newcomers stand in the list', () => {
    const places = new SeriesPlaces(2);
    places.choose(endpoints('c', 'd'));
    expect(ids(places.choose(endpoints('a', 'b', 'c', 'd')))).toBe('cd');
  });

  it('gives a place that became free to the next', () => {
    const places = new SeriesPlaces(2);
    places.choose(endpoints('a', 'b', 'c', 'd'));
    expect(ids(places.choose(endpoints('b', 'c', 'd')))).toBe('bc');
    expect(ids(places.choose(endpoints('a', 'b', 'c', 'd')))).toBe('bc');
  });

  it('gives none when there are none', () => {
    expect(ids(new SeriesPlaces(0).choose(endpoints('a')))).toBe('');
  });
});
