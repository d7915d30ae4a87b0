import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configReference, REFERENCE_FILE } from '../scripts/generate-config-reference.ts';

const page = readFileSync(REFERENCE_FILE, 'utf8');

describe('docs/reference/cluster-config.md', () => {
  it('says what the schemas say (write it anew with: npm run reference)', async () => {
    expect(page).toBe(await configReference());
  });

  it('tells the meaning of every option', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(80);
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
