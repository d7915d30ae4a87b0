import { describe, expect, it } from 'vitest';
import { nextStanding, type RiseFallRule, type Standing, UNKNOWN_STANDING } from './rise-fall.ts';

/** Plays results ('+' passed, '-' failed); returns the verdict after each: 'h', 'u', or '?' for none yet. */
function verdicts(results: string, rule: Partial<RiseFallRule> = {}): string {
  let standing: Standing = UNKNOWN_STANDING;
  return [...results]
    .map((result) => {
      standing = nextStanding(standing, result === '+', {
        rise: 2,
        fall: 3,
        initial: 'healthy',
        ...rule,
      });
      return standing.healthy === undefined ? '?' : standing.healthy ? 'h' : 'u';
    })
    .join('');
}

describe('nextStanding', () => {
  it.each<{ name: string; results: string; expected: string; rule?: Partial<RiseFallRule> }>([
    { name: 'the first success is enough', results: '+', expected: 'h' },
    { name: 'even when rise is high', results: '+', expected: 'h', rule: { rise: 10 } },
    { name: 'one that counts as healthy falls by the rule', results: '---', expected: '??u' },
    { name: 'a success in between makes it healthy', results: '--+--', expected: '??hhh' },
    {
      name: 'one that waits is decided by its first failure',
      results: '-',
      expected: 'u',
      rule: { initial: 'unchecked' },
    },
    {
      name: 'and then needs the full rise',
      results: '-+-++',
      expected: 'uuuuh',
      rule: { initial: 'unchecked' },
    },
    { name: 'healthy falls after three in a row', results: '+--+---', expected: 'hhhhhhu' },
    { name: 'unhealthy rises after two in a row', results: '---+-++', expected: '??uuuuh' },
    {
      name: 'rise 1 and fall 1 follow every result',
      results: '+-+-',
      expected: 'huhu',
      rule: { rise: 1, fall: 1 },
    },
    { name: 'more of the same changes nothing', results: '+++++', expected: 'hhhhh' },
  ])('$name', ({ results, expected, rule }) => {
    expect(verdicts(results, rule)).toBe(expected);
  });

  it('counts what is in a row', () => {
    const rule: RiseFallRule = { rise: 2, fall: 3, initial: 'healthy' };
    let standing = UNKNOWN_STANDING;
    for (const passed of [true, true, false]) standing = nextStanding(standing, passed, rule);
    expect(standing).toEqual({ healthy: true, consecutiveSuccesses: 0, consecutiveFailures: 1 });
  });
});
