import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDispatcherMetrics } from '@evenkeel/core/metrics';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/run-process.ts';

const page = readFileSync(join(repositoryRoot, 'docs/guides/undici-and-fetch.md'), 'utf8');

describe('docs/guides/undici-and-fetch.md', () => {
  it('has every metric with its type, and no other', async () => {
    const metrics = createDispatcherMetrics();
    const text = await metrics.registry.metrics();
    metrics.close();
    const types = [...text.matchAll(/^# TYPE evenkeel_(\S+) (\S+)$/gm)];
    for (const [, name = '', type = ''] of types) {
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\| ${type} +\\|`, 'm'));
    }
    const named = [...page.matchAll(/^\| `(dispatcher_[a-z_]+)`/gm)].map(([, name = '']) => name);
    expect(named.sort()).toEqual(types.map(([, name = '']) => name).sort());
  });
});
