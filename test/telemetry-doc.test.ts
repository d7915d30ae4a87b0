import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCluster } from '@evenkeel/core';
import { createMetrics } from '@evenkeel/core/metrics';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/run-process.ts';

const page = readFileSync(join(repositoryRoot, 'docs/concepts/telemetry.md'), 'utf8');
const events = readFileSync(join(repositoryRoot, 'packages/core/src/telemetry/events.ts'), 'utf8');

/** First cells of the table rows whose first cell is code. */
const named = [...page.matchAll(/^\| `([a-z_-]+)`/gm)].map(([, name = '']) => name);

describe('docs/concepts/telemetry.md', () => {
  it('has every metric with its type, and no other', async () => {
    const cluster = createCluster({ name: 'users', discovery: ['127.0.0.1:9'] });
    const metrics = createMetrics({ clusters: [cluster] });
    const text = await metrics.registry.metrics();
    metrics.close();
    await cluster.close();
    const types = [...text.matchAll(/^# TYPE evenkeel_(\S+) (\S+)$/gm)];
    for (const [, name = '', type = ''] of types) {
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\| ${type} +\\|`, 'm'));
    }
    const metricNames = named.filter((name) => name.includes('_'));
    expect(metricNames.sort()).toEqual(types.map(([, name = '']) => name).sort());
  });

  it('has every event, and no other', () => {
    const types = [...events.matchAll(/readonly type: ([^;]+);/g)].flatMap(([, union = '']) =>
      [...union.matchAll(/'([a-z-]+)'/g)].map(([, type = '']) => type),
    );
    expect(types.length).toBeGreaterThan(8);
    expect(named.filter((name) => name.includes('-')).sort()).toEqual(types.sort());
  });
});
