import { createCluster, Outcome } from '@evenkeel/core';
import { afterEach, describe, expect, it } from 'vitest';
import type { Stage } from '../examples/demo/stage.ts';
import { renderLine, renderView } from '../examples/demo/view.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A stage with a real cluster, one of whose endpoints fails, and callers made of paper. */
async function createStage(): Promise<Stage> {
  const names = ['alder', 'beech', 'cedar'];
  const discovery = names.map((id, index) => ({ id, host: '127.0.0.1', port: 8001 + index }));
  const cluster = createCluster({ name: 'shop', discovery });
  closers.push(() => cluster.close());
  await cluster.ready();
  const events: Stage['events'] = [];
  cluster.subscribe((event) => events.push({ atMs: 1_234_567, event }));
  const started = new Map(names.map((id) => [id, 0]));
  const first = { atMs: 0, started: new Map(started), states: new Map(), active: new Map() };
  for (let turn = 0; turn < 300; turn++) {
    const lease = cluster.acquire();
    started.set(lease.endpoint.id, (started.get(lease.endpoint.id) ?? 0) + 1);
    lease.finish(lease.endpoint.id === 'beech' ? Outcome.gatewayError : Outcome.success);
  }
  const samples = [first, { ...first, atMs: 900, started }];
  const served = [{ atMs: 500, latencyMs: 3.21, server: 'alder' }];
  const load = { served, errors: 0, requests: 300, nowMs: () => 1_000 };
  return { cluster, events, load, sampler: { samples } } as unknown as Stage;
}

describe('the live view', () => {
  it('fits a terminal of 80 columns and 24 rows', async () => {
    const lines = renderView({
      stage: await createStage(),
      incident: 'beech fails',
      colour: false,
      rows: 24,
    });
    expect(lines.length).toBeLessThan(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const text = lines.join('\n');
    expect(text).toContain('policy peak-ewma');
    expect(text).toMatch(/alder +healthy +█+ +\d+\.\d % +3\.2 ms/);
    expect(text).toContain('beech fails');
  });

  it('shows the same with colours', async () => {
    const stage = await createStage();
    const plain = renderView({ stage, incident: 'x', colour: false, rows: 24 });
    const coloured = renderView({ stage, incident: 'x', colour: true, rows: 24 });
    expect(coloured.map((line) => line.replace(/\u001b\[\d+m/g, ''))).toEqual(plain);
    expect(coloured.join('')).toContain('\u001b[32m');
  });

  it('is one line where there is no terminal', async () => {
    const line = renderLine({ stage: await createStage(), incident: 'beech fails' });
    expect(line).not.toContain('\n');
    expect(line).toMatch(/1\/s p50 3\.2 ms .* errors 0 {2}alder \d+%.*\[beech fails\]$/);
  });
});
