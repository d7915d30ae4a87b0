import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LOG_FIELD_NAMES } from './log-fields.ts';

const guide = new URL('../../../../../docs/guides/proxy-observability.md', import.meta.url);

it('the guide has every field of the access log, and no other', () => {
  const [, section = ''] = readFileSync(guide, 'utf8').split('## Access log\n');
  const rows = (section.split(/^#/m, 1)[0] ?? '').matchAll(/^\| (`.*?) +\|/gm);
  const written = [...rows].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-zA-Z]+)`/g)].map(([, name = '']) => name),
  );
  expect(written.sort()).toEqual([...LOG_FIELD_NAMES].sort());
});
