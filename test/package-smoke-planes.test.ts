/** The packages that carry traffic as a stranger gets them: packed, and installed together in an empty folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildOnce } from './support/build-once.ts';
import { type ProcessResult, repositoryRoot, runToSuccess } from './support/run-process.ts';
import {
  createTemporaryDirectory,
  type TemporaryDirectory,
} from './support/temporary-directory.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const FOLDERS = ['core', 'bpf', 'proxy', 'l4-gateway'] as const;
const manifestOf = (folder: string): Manifest =>
  JSON.parse(
    readFileSync(join(repositoryRoot, 'packages', folder, 'package.json'), 'utf8'),
  ) as Manifest;
const installedVersion = (name: string): string =>
  (
    JSON.parse(
      readFileSync(join(repositoryRoot, 'node_modules', name, 'package.json'), 'utf8'),
    ) as Manifest
  ).version;

const FLAGS = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];

let directory: TemporaryDirectory;
const packed = new Map<string, Packed>();

const consumer = (command: string, ...args: string[]): Promise<ProcessResult> =>
  runToSuccess(command, args, { cwd: directory.path, timeoutMs: 120_000 });

beforeAll(async () => {
  directory = await createTemporaryDirectory('planes-consumer');
  await buildOnce();
  for (const folder of FOLDERS) {
    const { stdout } = await runToSuccess(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', directory.path],
      { cwd: join(repositoryRoot, 'packages', folder) },
    );
    packed.set(folder, packedOf(JSON.parse(stdout)));
  }
  writeFileSync(join(directory.path, 'package.json'), '{ "private": true }\n');
  const tarballs = [...packed.values()].map(({ filename }) => `./${filename}`);
  await consumer('npm', 'install', ...FLAGS, '--loglevel=error', ...tarballs);
}, 300_000);

afterAll(() => directory.remove());

describe.each(['proxy', 'l4-gateway'])('packages/%s as published', (folder) => {
  const { name, exports, peerDependencies = {} } = manifestOf(folder);
  const entries = Object.entries(exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([path]) => `${name}${path.slice(1)}`);

  it('holds code, declarations, sources and licence, and no tests', async () => {
    const { files, filename } = packed.get(folder) as Packed;
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['LICENSE', 'src/index.ts', 'dist/esm/index.js', 'dist/cjs/index.js']),
    );
    expect(paths.filter((path) => /\.test\.|test-support|tsbuildinfo/u.test(path))).toEqual([]);
    const tarball = new Uint8Array(readFileSync(join(directory.path, filename)));
    const { messages, pkg } = await publint({ strict: true, pack: { tarball: tarball.buffer } });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('loads its main entry without any optional peer', async () => {
    expect((await exportsOf('mjs', [name]))[name]?.length).toBeGreaterThan(0);
    expect(await exportsOf('cjs', [name])).toEqual(await exportsOf('mjs', [name]));
  });

  it('loads all entries with its optional peers, alike by import and require', async () => {
    const peers = Object.keys(peerDependencies).map((peer) => `${peer}@${installedVersion(peer)}`);
    if (peers.length > 0) await consumer('npm', 'install', ...FLAGS, '--loglevel=error', ...peers);
    const loaded = await exportsOf('mjs', entries);
    expect(Object.keys(loaded)).toEqual(entries);
    for (const names of Object.values(loaded)) expect(names.length).toBeGreaterThan(0);
    expect(await exportsOf('cjs', entries)).toEqual(loaded);
  });
});

describe('packages/proxy as published', () => {
  it('proxies', async () => {
    writeFileSync(join(directory.path, 'use.mjs'), USE_A_PROXY);
    expect((await consumer('node', 'use.mjs')).stdout).toBe('200 hello\n');
  });
});

describe('packages/l4-gateway as published', () => {
  it('brings its command', async () => {
    const { stdout } = await consumer('node_modules/.bin/evenkeel-gateway', '--help');
    expect(stdout).toContain('usage: evenkeel-gateway');
  });
});

/** Names that each entry exports. */
async function exportsOf(
  kind: 'mjs' | 'cjs',
  names: readonly string[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const file = `load.${kind}`;
  const load = kind === 'mjs' ? 'await import(name)' : 'require(name)';
  const body = `for (const name of ${JSON.stringify(names)})
    all[name] = Object.keys(${load}).filter((key) => key !== '__esModule' && key !== 'module.exports').sort();
    console.log(JSON.stringify(all));`;
  writeFileSync(
    join(directory.path, file),
    kind === 'mjs'
      ? `const all = {};\n${body}\n`
      : `(async () => { const all = {};\n${body}\n})();\n`,
  );
  return JSON.parse((await consumer('node', file)).stdout) as Record<string, string[]>;
}

/** What `npm pack --json` prints: a list, or an object by name, of one. */
function packedOf(printed: unknown): Packed {
  const [only] = Object.values(printed as object) as [Packed];
  return only;
}

const USE_A_PROXY = `
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createCluster } from '@evenkeel/core';
import { createProxy } from '@evenkeel/proxy';

const server = createServer((request, response) => response.end('hello\\n')).listen(0, '127.0.0.1');
await once(server, 'listening');
const web = createCluster({ name: 'web', discovery: ['127.0.0.1:' + server.address().port] });
const proxy = await createProxy({
  clusters: [web],
  listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'web' }] } }],
});
const response = await fetch('http://127.0.0.1:' + proxy.addresses[0].port);
process.stdout.write(response.status + ' ' + (await response.text()));
await proxy.close();
await web.close();
server.close();
`;
