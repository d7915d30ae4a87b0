import { describe, expect, it } from 'vitest';
import { nearMiss } from './near-miss.ts';

describe('nearMiss', () => {
  it.each([
    ['wieght', ['weight', 'priority'], 'weight'], // neighbours swapped
    ['weigt', ['weight', 'priority'], 'weight'],
    ['Weight', ['weight', 'priority'], 'weight'],
    ['interval', ['intervalMs', 'timeoutMs'], 'intervalMs'], // the file's word in code
    ['intervalMs', ['interval', 'timeout'], 'interval'], // the code's word in a file
    ['prot', ['port', 'host'], 'port'],
    ['hots', ['port', 'host'], 'host'],
    ['path', ['port', 'host'], undefined],
    ['x', ['y'], 'y'],
    ['', ['weight'], undefined],
    ['something', [], undefined],
  ])('%j among %j is %j', (word, known, expected) => {
    expect(nearMiss(word, known)).toBe(expected);
  });
});
