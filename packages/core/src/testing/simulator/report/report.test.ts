import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { SimulationResult } from '../result.ts';
import { simulate } from '../simulate.ts';
import { simulationReport } from './html-report.ts';
import { durationText, numberText, percentText } from './number-text.ts';
import { encodePng } from './png.ts';
import { linearScale, logScale } from './scale.ts';
import { simulationTable } from './text-table.ts';

const results: readonly SimulationResult[] = ['round-robin', 'jsq'].map((policy) =>
  simulate(
    {
      name: 'tiny <&">',
      clients: 2,
      servers: [{ count: 4, zone: ['a', 'b'] }],
      warmUpMs: 200,
      durationMs: 2_000,
      faults: [{ kind: 'fail-fast', servers: { count: 1 }, fromMs: 500, untilMs: 900 }],
    },
    { policy },
  ),
);

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.012_345, '0.0123'],
    [12.345, '12.3'],
    [999.6, '1000'],
    [12_345.6, '12,346'],
    [Number.NaN, '–'],
  ])('%d reads %s', (value, text) => expect(numberText(value)).toBe(text));

  it.each([
    [0.25, '0.25 ms'],
    [1_000, '1,000 ms'],
    [15_000, '15 s'],
  ])('%d ms read %s', (value, text) => expect(durationText(value)).toBe(text));

  it.each([
    [0, '0 %'],
    [0.001, '<0.01 %'],
    [0.126, '0.13 %'],
    [45.67, '45.7 %'],
    [100, '100 %'],
  ])('%d percent read %s', (value, text) => expect(percentText(value)).toBe(text));
});

describe('scales', () => {
  it('linear: equal distances, marks at round numbers', () => {
    const scale = linearScale({ min: 0, max: 50, fromPixel: 100, toPixel: 600 });
    expect(scale.ticks).toEqual([0, 10, 20, 30, 40, 50]);
    expect(scale.toPixel(25)).toBe(350);
  });

  it('log: equal ratios, fewer marks the more it covers', () => {
    const scale = logScale({ min: 1, max: 1_000, fromPixel: 300, toPixel: 0 });
    expect(scale.ticks).toEqual([1, 10, 100, 1_000]);
    expect(scale.toPixel(10)).toBeCloseTo(200, 9);
    expect(logScale({ min: 8, max: 60, fromPixel: 0, toPixel: 1 }).ticks).toEqual([10, 20, 50]);
  });
});

describe('the text table', () => {
  it('has a line per run, columns aligned', () => {
    const lines = simulationTable(results).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^policy +p50 +p90 +p99 +p99\.9 +mean +failed/);
    expect(lines[1]).toMatch(/^round-robin +[\d.]+ ms/);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it('names the scenarios when there are several', () => {
    const other = { ...results[0]!, scenario: 'other' };
    expect(simulationTable([results[0]!, other])).toMatch(
      /^scenario +policy[^]*other +round-robin/,
    );
  });
});

describe('the HTML report', () => {
  const html = simulationReport(results, 'A <title>');

  it('needs nothing from elsewhere', () => {
    expect(html).not.toMatch(/<(script|link|iframe)|url\((?!#)|@import/);
    for (const [, target] of html.matchAll(/(?:href|src)="([^"]*)"/g))
      expect(target).toMatch(/^data:image\/png;base64,/);
  });

  it('escapes what comes from users', () => {
    expect(html).toContain('A &lt;title&gt;');
    expect(html).toContain('tiny &lt;&amp;&quot;&gt;');
    expect(html).not.toContain('tiny <');
  });

  it('is well-formed: every element that is opened is closed', () => {
    const open: string[] = [];
    for (const [, closing, name, selfClosing] of html
      .replace(/<style>[^]*?<\/style>|<!doctype html>/g, '')
      .matchAll(/<(\/?)([a-z][a-zA-Z0-9]*)[^>]*?(\/?)>/g)) {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (selfClosing !== '/' && name !== 'meta') open.push(name ?? '');
    }
    expect(open).toEqual([]);
  });

  it('draws no coordinate that is not a number', () => {
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('shows runs, faults and zones', () => {
    for (const text of ['round-robin', 'jsq', '1 of 4 fail at once', 'zone a', 'zone b'])
      expect(html).toContain(text);
  });
});

describe('PNG', () => {
  it('holds the points', () => {
    const points = Uint8Array.from([0, 1, 2, 2, 1, 0]);
    const palette = [
      [255, 0, 0, 255],
      [0, 255, 0, 128],
      [0, 0, 255, 0],
    ] as const;
    const png = encodePng({ width: 3, height: 2, palette, points });
    expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
    const chunks = new Map<string, Buffer>();
    for (let at = 8; at < png.length;) {
      const length = png.readUInt32BE(at);
      chunks.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length));
      at += length + 12;
    }
    expect([...chunks.keys()]).toEqual(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
    expect([...inflateSync(chunks.get('IDAT')!)]).toEqual([0, 0, 1, 2, 0, 2, 1, 0]);
    expect([...chunks.get('tRNS')!]).toEqual([255, 128, 0]);
  });
});
