import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/run-process.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const page = read('docs/reference/registry-failures.md');

/** Heading to package. */
const PACKAGES = { Consul: 'consul', ZooKeeper: 'node-zookeeper-client', etcd: 'etcd3' } as const;

describe('docs/reference/registry-failures.md', () => {
  it.each(Object.entries(PACKAGES))('has a row for each test about %s', (heading, name) => {
    const start = page.indexOf(`## ${heading}: `);
    const section = page.slice(start, page.indexOf('\n## ', start + 1));
    const cells = [...section.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, cell = '']) => cell);
    const rows = cells.filter((cell) => cell !== 'what happens' && !cell.startsWith('-'));
    const tests = read(`test/registry-failures/${heading.toLowerCase()}.test.ts`);
    const named = [
      ...tests.matchAll(/^\s*(?:it\()?'(an? [^:']+|packets [^:']+|answers [^:']+): /gm),
    ];
    expect(rows.length).toBeGreaterThan(3);
    expect(named.map(([, what = '']) => what).sort()).toEqual(rows.sort());
    // The version that the rows are about is the one that the tests run with.
    const { version } = JSON.parse(read(`node_modules/${name}/package.json`)) as {
      version: string;
    };
    expect(section).toContain(`\`${name}\` ${version}`);
  });
});
