import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBench } from '../bench/support/runner.ts';
import { measureRounds } from '../bench/support/rounds.ts';
import { median, pairedRatios, summarize } from '../bench/support/statistics.ts';
import { formatTable } from '../bench/support/table.ts';
import {
  createTemporaryDirectory,
  type TemporaryDirectory,
} from './support/temporary-directory.ts';

describe('bench runner', () => {
  let directory: TemporaryDirectory;

  const bench = async (
    ...args: string[]
  ): Promise<{ code: number; out: string; error: string }> => {
    let out = '';
    let error = '';
    const code = await runBench(args, {
      directory: directory.path,
      writeOut: (text) => (out += text),
      writeError: (text) => (error += text),
    });
    return { code, out, error };
  };

  beforeAll(async () => {
    directory = await createTemporaryDirectory('bench');
    const suite = (figures: string): string =>
      `export const suite = { description: 'a fake', async run({ print, quick }) { print('quick ' + quick); return ${figures}; } };\n`;
    writeFileSync(join(directory.path, 'flat.ts'), suite("{ 'ns@10': 12.5 }"));
    writeFileSync(join(directory.path, 'broken.ts'), suite("{ 'ns@10': Number.NaN }"));
    mkdirSync(join(directory.path, 'folder'));
    writeFileSync(join(directory.path, 'folder/suite.ts'), suite('{}'));
  });

  afterAll(() => directory.remove());

  it('ends with one line of JSON when asked to', async () => {
    const { code, out } = await bench('flat', '--json');
    expect(code).toBe(0);
    const last = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(last).toEqual({
      suite: 'flat',
      figures: { 'ns@10': 12.5 },
      machine: {
        cpu: expect.any(String),
        cores: expect.any(Number),
        memoryGiB: expect.any(Number),
        arch: process.arch,
        kernel: expect.any(String),
        node: process.versions.node,
      },
    });
  });

  it('prints for people without --json, and hands --quick to the suite', async () => {
    const { out } = await bench('flat', '--quick');
    expect(out).toContain('quick true');
    expect(out).not.toContain('{"suite"');
  });

  it.each([
    { args: ['nonsense'], says: 'There is no suite "nonsense".' },
    { args: [], says: 'Which suite?' },
    { args: ['flat', 'folder'], says: 'One suite at a time' },
    { args: ['flat', '--jsno'], says: "Unknown option '--jsno'" },
  ])('refuses $args with exit code 2 and lists the suites', async ({ args, says }) => {
    const { code, out, error } = await bench(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(error).toContain(says);
    expect(error).toMatch(/broken +a fake\n +flat +a fake\n +folder +a fake/u);
  });

  it('prints help on demand', async () => {
    const { code, out } = await bench('--help');
    expect(code).toBe(0);
    expect(out).toContain('npm run bench -- <suite>');
  });

  it('does not let a suite return a figure that is no number', async () => {
    await expect(bench('broken', '--json')).rejects.toThrow('returned no number for: ns@10');
  });
});

describe('bench statistics', () => {
  it.each([
    { samples: [3], expected: 3 },
    { samples: [4, 1], expected: 2.5 },
    { samples: [9, 1, 2], expected: 2 },
    { samples: [10, 9, 1, 2], expected: 5.5 },
  ])('the median of $samples is $expected', ({ samples, expected }) => {
    expect(median(samples)).toBe(expected);
  });

  it('summarizes with a spread that one outlier does not move', () => {
    expect(summarize([10, 11, 12, 13, 1_000])).toEqual({
      median: 12,
      min: 10,
      max: 1_000,
      mad: 1,
      count: 5,
    });
  });

  it('takes ratios round by round', () => {
    expect(pairedRatios([2, 30], [1, 10])).toEqual([2, 3]);
    expect(() => pairedRatios([1], [])).toThrow(RangeError);
  });

  it('interleaves the contenders, rotates their order and drops the warm-up', async () => {
    const order: string[] = [];
    const contender = (name: 'a' | 'b', value: number) => ({
      name,
      measure: (): number => {
        order.push(name);
        return value + order.length;
      },
    });
    const samples = await measureRounds([contender('a', 0), contender('b', 100)], {
      rounds: 2,
      warmupRounds: 1,
    });
    expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
    expect(samples).toEqual({ a: [4, 5], b: [103, 106] });
  });

  it('lines a table up', () => {
    const table = formatTable(
      ['policy', 'ns'],
      [
        ['random', 12.345],
        ['p2c', 1234.5],
      ],
    );
    expect(table).toBe(
      ['policy     ns', '------  -----', 'random   12.3', 'p2c     1,235'].join('\n'),
    );
  });
});
