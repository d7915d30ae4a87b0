/** The tables of docs/concepts are what the code reckons, cell by cell. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { localityShares } from './locality-weighted.ts';
import { isPanic } from './panic.ts';
import { type LevelHealth, priorityLoads } from './priority.ts';
import { slowStartFactor } from './slow-start.ts';
import { type ZoneCapacity, zoneRouting } from './zone-aware.ts';

/** Rows of the table of a page whose first column has this title, without head and rule. */
function tableOf(page: string, title: string): readonly (readonly string[])[] {
  const url = new URL(`../../../../docs/concepts/${page}.md`, import.meta.url);
  const lines = readFileSync(url, 'utf8').split('\n');
  const head = lines.findIndex((line) => cellsOf(line)[0] === title);
  const rest = lines.slice(head + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  const rows = rest.slice(0, end === -1 ? rest.length : end).map(cellsOf);
  expect(rows.length, `${page}: ${title}`).toBeGreaterThan(2);
  return rows;
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

const numbersIn = (text = ''): number[] => (text.match(/\d+(\.\d+)?/g) ?? []).map(Number);
const numberIn = (text?: string): number => numbersIn(text)[0] ?? Number.NaN;

const RULE = { overprovisioningFactor: 1.4, panicThresholdPercent: 50 };
const SIZE = 100;

function level(healthyPercent = 0, degradedPercent = 0): LevelHealth {
  return {
    healthyCount: healthyPercent,
    degradedCount: degradedPercent,
    presumedHealthyCount: healthyPercent + degradedPercent,
    candidateCount: SIZE,
  };
}

describe('docs/concepts/priorities.md', () => {
  it.each(tableOf('priorities', 'level 0 healthy'))('%s and %s', (...row) => {
    const healthy = row.slice(0, 2).map(numberIn);
    const loads = priorityLoads(
      healthy.map((percent) => level(percent)),
      RULE,
    );
    const [availability, first = '', second = '', panic = ''] = row.slice(2);
    // Whole percents, as the code has them.
    expect(healthy.map((percent) => Math.min(100, Math.floor((140 * percent) / 100)))).toEqual(
      numbersIn(availability),
    );
    const expected = first === 'by size' ? [50, 50] : [numberIn(first), numberIn(second)];
    expect(loads.map(({ healthyPercent }) => healthyPercent)).toEqual(expected);
    const panics = loads.map((each) => each.panic);
    if (panic === 'both') expect(panics).toEqual([true, true]);
    else expect(panics).toEqual([panic === 'level 0', false]);
  });

  it.each(tableOf('priorities', 'healthy'))('%s', (healthy = '', ...cells) => {
    const loads = priorityLoads(
      numbersIn(healthy).map((percent) => level(percent)),
      RULE,
    );
    expect(loads.map(({ healthyPercent }) => healthyPercent)).toEqual(cells.map(numberIn));
  });

  it.each(tableOf('priorities', 'level 0: healthy, degraded'))('%s and %s', (...row) => {
    const levels = row
      .slice(0, 2)
      .map(numbersIn)
      .filter(({ length }) => length === 2);
    const loads = priorityLoads(
      levels.map(([healthy, spared]) => level(healthy, spared)),
      RULE,
    );
    expect(loads.flatMap((load) => [load.healthyPercent, load.degradedPercent])).toEqual(
      row
        .slice(2)
        .filter((cell) => cell !== '')
        .map(numberIn),
    );
  });
});

describe('docs/concepts/locality.md', () => {
  it.each(tableOf('locality', 'zone a: weight, healthy'))('%s and %s', (...row) => {
    const zones = row.slice(0, 2).map((cell) => {
      const [weight = 0, healthyCount = 0, candidateCount = 0] = numbersIn(cell);
      return { weight, healthyCount, candidateCount };
    });
    const effective = zones.map(({ weight, healthyCount, candidateCount }) =>
      Math.round(weight * Math.min(1, (1.4 * healthyCount) / candidateCount)),
    );
    expect(effective).toEqual(numbersIn(row[2]));
    const percents = localityShares(zones, 1.4).map((share) => Math.round(share * 1_000) / 10);
    expect(percents).toEqual(row.slice(3).map(numberIn));
  });
});

describe('docs/concepts/slow-start.md', () => {
  it.each(tableOf('slow-start', 'age'))('%s', (age, ...cells) => {
    const percents = [1, 2, 0.5].map((aggression) => {
      const config = { windowMs: 60_000, aggression, minWeightPercent: 10 };
      return Math.round(100 * slowStartFactor(numberIn(age) * 1_000, config));
    });
    expect(percents).toEqual(cells.map(numberIn));
  });
});

describe('docs/concepts/panic.md', () => {
  it.each(tableOf('panic', 'candidates'))('%s candidates, %s healthy', (all, healthy, ...cells) => {
    const thresholds = [50, 0, 100].map((percent) =>
      isPanic(numberIn(healthy), numberIn(all), percent),
    );
    expect(thresholds).toEqual(cells.slice(1).map((cell) => cell.startsWith('**panic**')));
  });

  it.each(tableOf('panic', 'healthy'))('%s of ten healthy', (healthy, panic, ...cells) => {
    const well = numberIn(healthy);
    const inPanic = isPanic(well, 10, 50);
    expect(inPanic).toBe(panic === 'yes');
    const toHealthy = inPanic ? well * 10 : 100;
    if (well > 0) expect(numberIn(cells[0])).toBe(toHealthy);
    if (well > 0) expect(numberIn(cells[1])).toBeCloseTo(toHealthy / 10 / well, 2);
    // Each try goes to an endpoint that was not tried before.
    let failed = 1;
    const chances = [0, 1, 2].map((tries) => {
      failed *= inPanic ? (10 - well - tries) / (10 - tries) : 0;
      return Math.round(100 * failed);
    });
    expect(chances).toEqual(cells.slice(2).map(numberIn));
  });
});

describe('docs/concepts/zone-aware-routing.md', () => {
  const ZONES = ['a', 'b', 'c'];
  const capacity = (zone: string, healthyCount: number, all = healthyCount): ZoneCapacity => ({
    zone,
    healthyWeight: healthyCount,
    healthyCount,
    presumedHealthyCount: healthyCount,
    candidateCount: all,
  });
  const rule = { ownZone: 'a', minEndpoints: 6, panicThresholdPercent: 50 };
  const percentsOf = (zones: readonly ZoneCapacity[], counts: readonly number[]): number[] => {
    const peers = counts.map((count, index): [string, number] => [ZONES[index] ?? '', count]);
    const routing = zoneRouting(zones, { counts: new Map(peers), panic: false }, rule);
    const all = zones.reduce((sum, { healthyCount }) => sum + healthyCount, 0);
    const shares =
      routing.mode === 'off' ? zones.map(({ healthyCount }) => healthyCount / all) : routing.shares;
    return shares.map((share) => Math.round(share * 1_000) / 10);
  };

  it.each(tableOf('zone-aware-routing', 'endpoints'))(
    '%s and %s',
    (endpoints, clients, _, ...cells) => {
      const zones = numbersIn(endpoints)
        .map((count, index) => capacity(ZONES[index] ?? '', count))
        .filter(({ healthyCount }) => healthyCount > 0);
      const expected = cells.filter((cell) => cell !== '').map(numberIn);
      expect(percentsOf(zones, numbersIn(clients))).toEqual(expected);
    },
  );

  it.each(tableOf('zone-aware-routing', 'healthy in a'))('%s healthy here', (healthy, ...cells) => {
    const zones = [capacity('a', numberIn(healthy), 10), capacity('b', 10)];
    expect(percentsOf(zones, [10, 10])).toEqual(cells.slice(0, 2).map(numberIn));
  });
});
