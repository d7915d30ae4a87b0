import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { repositoryRoot, runProcess } from './support/run-process.ts';
import { createTemporaryDirectory } from './support/temporary-directory.ts';

const DEMO = ['--conditions=@evenkeel/source', 'examples/demo/main.ts'];

/** What the last line of `--once --json` holds. */
interface Report {
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perEndpoint: readonly {
    readonly id: string;
    readonly tries: number;
    readonly shareRatio: number;
  }[];
  readonly events: readonly {
    readonly atMs: number;
    readonly type: string;
    readonly endpoint?: string;
  }[];
  readonly reactions: readonly Reaction[];
  readonly checks: readonly { readonly passed: boolean; readonly text: string }[];
}

interface Reaction {
  readonly endpoint: string;
  readonly fairShareRatio: number;
  readonly reachedMs: number | null;
}

describe('npm start -- --once --json', () => {
  it(
    'balances a day of trouble without an error for any caller, and reports it',
    { timeout: 150_000 },
    async () => {
      const { code, stdout, stderr } = await runProcess('node', [...DEMO, '--once', '--json'], {
        timeoutMs: 140_000,
      });
      expect(stderr).toBe('');
      const lines = stdout.trimEnd().split('\n');
      const report = JSON.parse(lines.at(-1) ?? '') as Report;
      expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
      expect(code).toBe(0);

      expect(report.errors).toBe(0);
      expect(report.requests).toBeGreaterThanOrEqual(20_000);
      expect(report.p50Ms).toBeGreaterThan(0);
      expect(report.p99Ms).toBeGreaterThanOrEqual(report.p50Ms);

      // The slow one, the failing one, the killed one, the removed one; and the new one.
      const reactions = new Map(report.reactions.map((reaction) => [reaction.endpoint, reaction]));
      expect([...reactions.keys()]).toEqual(['beech', 'cedar', 'elm', 'linden', 'alder']);
      for (const { reachedMs } of reactions.values()) {
        expect(reachedMs).not.toBeNull();
        expect(reachedMs).toBeLessThanOrEqual(2_000);
      }

      expect(report.perEndpoint.map(({ id }) => id).sort()).toEqual([
        'alder',
        'beech',
        'cedar',
        'elm',
        'hazel',
        'linden',
        'maple',
      ]);
      const shares = report.perEndpoint.reduce((sum, { shareRatio }) => sum + shareRatio, 0);
      expect(shares).toBeCloseTo(1, 1);
      const happened = report.events.map(({ type, endpoint }) => `${type} ${endpoint ?? ''}`);
      expect(happened).toContain('endpoint-added linden');
      expect(happened).toContain('endpoint-removed alder');
      expect(happened.some((event) => /(ejected|health-changed) elm/.test(event))).toBe(true);

      // People read the rest, in a terminal of 80 columns.
      const readable = lines.slice(0, -1);
      expect(readable.filter((line) => line.length > 80)).toEqual([]);
      expect(readable.join('\n')).toContain('beech becomes 20 times slower');
    },
  );
});

describe('npm start', () => {
  it(
    'goes on until it is interrupted, and leaves nothing behind',
    { timeout: 60_000 },
    async () => {
      const directory = await createTemporaryDirectory('demo');
      const demo = spawn('node', DEMO, {
        env: { ...process.env, TMPDIR: directory.path },
        cwd: repositoryRoot,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(demo, 'close');
      const lines: string[] = [];
      for await (const line of createInterface({ input: demo.stdout })) {
        // Interrupted once and in the middle of the traffic; what follows is the goodbye.
        if (lines.push(line) === 2) demo.kill('SIGINT');
      }
      expect(await ended).toEqual([0, null]);
      expect(lines[1]).toMatch(/\d+\/s p50 .* errors 0 {2}alder \d+%/);
      expect(lines.at(-1)).toMatch(/^[\d,]+ requests in .*, 0 errors$/);
      expect(await readdir(directory.path)).toEqual([]);
      await directory.remove();
    },
  );

  it.each([
    [['--nope'], /Unknown option '--nope'/],
    [['--json'], /'--json' needs '--once'/],
    [['once'], /Unexpected argument 'once'/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr, stdout } = await runProcess('node', [...DEMO, ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('npm start -- --once');
    expect(stdout).toBe('');
  });

  it('explains itself', async () => {
    const { code, stdout } = await runProcess('node', [...DEMO, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('npm start -- --once --json');
  });
});
