/** docs/guides/proxy-observability.md says what there is, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCluster } from '@evenkeel/core';
import { createProxy, type Proxy } from '@evenkeel/proxy';
import { createProxyMetrics } from '@evenkeel/proxy/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/run-process.ts';

const page = readFileSync(join(repositoryRoot, 'docs/guides/proxy-observability.md'), 'utf8');

describe('docs/guides/proxy-observability.md', () => {
  const cluster = createCluster({ name: 'web', discovery: ['127.0.0.1:9'] });
  let proxy: Proxy;
  beforeAll(async () => {
    proxy = await createProxy({
      clusters: [cluster],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'web' }] } }],
    });
  });
  afterAll(async () => {
    await proxy.close();
    await cluster.close();
  });

  it('has every metric with its type and labels, and no other', async () => {
    const { registry } = createProxyMetrics({ proxies: [proxy] });
    const rows = registry.getMetricsAsArray().map((metric) => {
      const { name, labelNames = [] } = metric as unknown as Partial<Row> & { name: string };
      return { name, labels: labelNames.map((label) => `\`${label}\``).join(', ') };
    });
    const json = await registry.getMetricsAsJSON();
    const types = new Map(json.map(({ name, type }) => [name, String(type)]));
    const expected = rows.map(({ name, labels }) => `${name} ${types.get(name)} ${labels}`);
    const written = [...page.matchAll(/^\| `(evenkeel_\S+)` +\| (\w+) +\| (.*?) *\|$/gm)].map(
      ([, name = '', type = '', labels = '']) => `${name} ${type} ${labels}`,
    );
    expect(written.sort()).toEqual(expected.sort());
  });

  it('has every reason of a refusal, and no other', () => {
    const table = section('### Refusals');
    const written = [...table.matchAll(/^\| `([a-z-]+)` /gm)].map(([, reason = '']) => reason);
    expect(written.sort()).toEqual(Object.keys(proxy.stats.counters.refusals).sort());
  });
});

interface Row {
  readonly labelNames: readonly string[];
}

/** From a heading to the next one. */
function section(heading: string): string {
  const [, text = ''] = page.split(`${heading}\n`);
  return text.split(/^#/m, 1)[0] ?? '';
}
