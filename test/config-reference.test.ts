import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  configReference,
  GATEWAY_METRICS_FILE,
  GATEWAY_REFERENCE_FILE,
  gatewayMetricsReference,
  gatewayReference,
  PROXY_REFERENCE_FILE,
  proxyReference,
  REFERENCE_FILE,
} from '../scripts/generate-config-reference.ts';

const pages = [
  { file: REFERENCE_FILE, write: configReference, atLeast: 80 },
  { file: GATEWAY_REFERENCE_FILE, write: gatewayReference, atLeast: 30 },
  { file: PROXY_REFERENCE_FILE, write: proxyReference, atLeast: 150 },
].map((one) => ({
  ...one,
  name: one.file.pathname.split('/').at(-1),
  page: readFileSync(one.file, 'utf8'),
}));

describe.each(pages)('docs/reference/$name', ({ page, write, atLeast }) => {
  it('says what the schemas say (write it anew with: npm run reference)', async () => {
    expect(page).toBe(await write());
  });

  it('tells the meaning of every option', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(atLeast);
    const silent = rows.filter((row) => /\|\s*\|$/.test(row));
    expect(silent).toEqual([]);
  });

  it('links only to headings that it has, and has each once', () => {
    const anchors = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^a-z0-9 _-]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(new Set(anchors).size).toBe(anchors.length);
    for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]*)\)/g))
      expect(anchors).toContain(anchor);
  });
});

describe('docs/reference/gateway-metrics.md', () => {
  it('says what the code says (write it anew with: npm run reference)', async () => {
    expect(readFileSync(GATEWAY_METRICS_FILE, 'utf8')).toBe(await gatewayMetricsReference());
  });
});
