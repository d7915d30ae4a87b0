/** The README's example, exactly as printed: built, type-checked, and run on real packets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { buildObject } from './build.ts';
import { addVeth, enterLab, type Lab, run, tryRun } from '../object/test-support/lab.ts';

const required = ['bpf', 'clang', 'bpftool', 'ip'].map((name) => requireComponent(name));
const root = join(import.meta.dirname, '../../../..');
const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

const guide = readFileSync(join(root, 'docs/guides/bpf.md'), 'utf8');

/** The object that the guide's examples speak of. */
const EDGE = `#include <evenkeel/bpf.h>
struct event { __u64 at_ns; __be16 port; };
EVENKEEL_EXPORT_TYPE(struct event);
const volatile __u32 max_backends = 8;
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 64); __type(key, __u32); __type(value, __u64); } flows SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 65536); } events SEC(".maps");
SEC("xdp") int forward(struct xdp_md *context) {
	__u32 key = max_backends;
	return bpf_map_lookup_elem(&flows, &key) ? XDP_DROP : XDP_PASS;
}
EVENKEEL_LICENSE;
`;

const block = (language: string): string => {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'u').exec(readme)?.[1];
  if (found === undefined) throw new Error(`the README has no block of ${language}`);
  return found;
};

describe('the README', () => {
  it('keeps its example short', () => {
    expect(block('c').trim().split('\n').length).toBeLessThanOrEqual(30);
    expect(block('ts').trim().split('\n').length).toBeLessThanOrEqual(30);
  });
});

const tools = required.slice(1, 3);
describe.skipIf(tools.some(({ path }) => path === undefined))('the guide', () => {
  const folder = join(root, '.cache', `bpf-guide-${process.pid}`);
  beforeAll(() => mkdirSync(folder, { recursive: true }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has examples that fit the types', () => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    writeFileSync(join(folder, 'edge.bpf.c'), EDGE);
    buildObject(join(folder, 'edge.bpf.c'));
    const blocks = [...guide.matchAll(/```ts\n([\s\S]*?)```/gu)].map((match) => match[1] ?? '');
    expect(blocks.length).toBeGreaterThan(2);
    const names = 'adoptLink, adoptMap, attachXdp, loadObject, pin';
    const text = [
      `import { ${names} } from '@evenkeel/bpf';`,
      `import { edge, eventCodec } from './edge.ts';`,
      'const object = loadObject(edge);',
      ...blocks.map((code) => `{ ${code} }`),
    ];
    writeFileSync(join(folder, 'guide.ts'), text.join('\n'));
    expect(typeErrors(join(folder, 'guide.ts'))).toBe('');
  });
});

describe.skipIf(required.some(({ path }) => path === undefined))('the README example', () => {
  // Inside the repository, so that the package is found by its name.
  const folder = join(root, '.cache', `bpf-readme-${process.pid}`);
  let lab: Lab;
  let child: ChildProcess | undefined;

  beforeAll(() => {
    lab = enterLab();
    addVeth('outer', 'inner');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    writeFileSync(join(folder, 'counter.bpf.c'), block('c'));
    writeFileSync(join(folder, 'main.ts'), block('ts'));
  });
  afterAll(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    lab.close();
  });

  it('builds, fits its types, counts packets, and detaches when it is interrupted', async () => {
    const source = ['--conditions=@evenkeel/source'];
    const command = join(root, 'packages/bpf/bin/evenkeel-bpf.js');
    run(process.execPath, ...source, command, 'build', join(folder, 'counter.bpf.c'));
    expect(typeErrors(join(folder, 'main.ts'))).toBe('');

    child = spawn(process.execPath, [...source, join(folder, 'main.ts'), 'inner'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    const counts: number[] = [];
    createInterface({ input: child.stdout! }).on('line', (line) =>
      counts.push(Number.parseInt(line, 10)),
    );
    // Neighbour discovery of the two interfaces is traffic enough; a ping to nobody adds ARP requests.
    run('ip', 'addr', 'add', '198.18.0.1/24', 'dev', 'outer');
    await expect
      .poll(
        () => {
          tryRun('ip', 'neigh', 'flush', 'dev', 'outer');
          tryRun(
            'ip',
            'neigh',
            'add',
            '198.18.0.9',
            'dev',
            'outer',
            'nud',
            'probe',
            'lladdr',
            '02:00:00:00:00:09',
          );
          return counts.at(-1) ?? 0;
        },
        { timeout: 20_000, interval: 200 },
      )
      .toBeGreaterThan(0);
    expect(run('ip', '-d', 'link', 'show', 'inner')).toContain('prog/xdp');
    child.kill('SIGINT');
    expect((await exit)[0]).toBe(0);
    expect(run('ip', '-d', 'link', 'show', 'inner')).not.toContain('prog/xdp');
  });
});

/** What the compiler objects to in a file that imports the package by its name. */
function typeErrors(file: string): string {
  const flags = ['--ignoreConfig', '--noEmit', '--strict', '--allowImportingTsExtensions'];
  const types = ['--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const conditions = ['--customConditions', '@evenkeel/source', '--skipLibCheck'];
  const tsc = join(root, 'node_modules/.bin/tsc');
  return tryRun(tsc, ...flags, ...types, ...conditions, file).stdout;
}
