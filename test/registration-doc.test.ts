import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistrationMetrics } from '@evenkeel/core/metrics';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/run-process.ts';

const page = readFileSync(join(repositoryRoot, 'docs/guides/registration.md'), 'utf8');
const events = readFileSync(
  join(repositoryRoot, 'packages/core/src/registration/events.ts'),
  'utf8',
);

describe('docs/guides/registration.md', () => {
  it('has every metric with its type, and no other', async () => {
    const metrics = createRegistrationMetrics();
    const text = await metrics.registry.metrics();
    metrics.close();
    const types = [...text.matchAll(/^# TYPE evenkeel_(\S+) (\S+)$/gm)];
    for (const [, name = '', type = ''] of types) {
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\| ${type} +\\|`, 'm'));
    }
    const named = [...page.matchAll(/^\| `(registration_[a-z_]+)`/gm)].map(([, name = '']) => name);
    expect(named.sort()).toEqual(types.map(([, name = '']) => name).sort());
  });

  it('has every event, and no other', () => {
    const types = [...events.matchAll(/readonly type: '([a-z-]+)'/g)].map(([, type = '']) => type);
    expect(types.length).toBeGreaterThan(4);
    const section = page.slice(page.indexOf('| event '), page.indexOf('Metrics, with'));
    const named = [...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name = '']) => name);
    expect(named.sort()).toEqual(types.sort());
  });
});
