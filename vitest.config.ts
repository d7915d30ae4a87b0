import { availableParallelism } from 'node:os';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { SkipReporter } from './test/support/skip-reporter.ts';

/** Packages resolve to their TypeScript sources: nothing has to be built before a test. */
const conditions = ['@evenkeel/source'];

interface ProjectOptions {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly timeoutMs: number;
  /** How often a test that failed may try again; the reporter says so. */
  readonly retries?: number;
  /** Files at a time. Default one per core, at least 2. */
  readonly maxWorkers?: number;
  /** Groups run one after the other: what uses real sockets and processes comes last, undisturbed. */
  readonly group: number;
}

function project(options: ProjectOptions): ViteUserConfig {
  const { name, include, exclude = [], timeoutMs, retries = 0, group } = options;
  const { maxWorkers = Math.max(2, availableParallelism()) } = options;
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      name,
      include: [...include],
      exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
      retry: retries,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      isolate: true,
      // Explicit, because a single worker (the default on two cores) would ignore the groups.
      maxWorkers,
      sequence: { groupOrder: group },
      execArgv: ['--conditions=@evenkeel/source'],
    },
  };
}

const KINDS = ['property', 'simulation', 'integration', 'load'] as const;
const ACROSS_LOAD = 'test/**/*.load.test.ts';
const source = (kind: string): string => `packages/*/src/**/*.${kind}.test.ts`;

export default defineConfig({
  test: {
    pool: 'forks',
    // Before the default reporter, whose summary is to close the output.
    reporters: [new SkipReporter(), 'default'],
    projects: [
      project({
        name: 'unit',
        include: ['packages/*/src/**/*.test.ts'],
        exclude: KINDS.map(source),
        timeoutMs: 5_000,
        group: 1,
      }),
      project({ name: 'property', include: [source('property')], timeoutMs: 30_000, group: 1 }),
      project({ name: 'simulation', include: [source('simulation')], timeoutMs: 60_000, group: 2 }),
      project({
        name: 'integration',
        include: [source('integration'), 'test/**/*.test.ts'],
        exclude: [ACROSS_LOAD],
        timeoutMs: 60_000,
        retries: Number(process.env['EVENKEEL_RETRIES'] ?? 0),
        group: 3,
      }),
      // Real traffic at a rate: last, one file at a time, because a starved machine looks like a fault.
      project({
        name: 'load',
        include: [source('load'), ACROSS_LOAD],
        timeoutMs: 180_000,
        maxWorkers: 1,
        retries: Number(process.env['EVENKEEL_RETRIES'] ?? 0),
        group: 4,
      }),
    ],
  },
});
