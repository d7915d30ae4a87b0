/**
 * The published package as a stranger gets it: packed, installed in an empty folder, used from ESM,
 * CommonJS and TypeScript.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildOnce } from './support/build-once.ts';
import { requireComponent } from './support/require-component.ts';
import { type ProcessResult, repositoryRoot, runToSuccess } from './support/run-process.ts';
import {
  createTemporaryDirectory,
  type TemporaryDirectory,
} from './support/temporary-directory.ts';

const packageDirectory = join(repositoryRoot, 'packages/core');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

interface PackResult {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const readManifest = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;

const manifest = readManifest(packageDirectory);
const specifiers = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target !== 'string')
  .map(([name]) => `${manifest.name}${name.slice(1)}`);
const peers = Object.keys(manifest.peerDependencies);
/** Entries made for one optional peer; all others have to work without any. */
const peerSpecifiers = ['undici', 'metrics', 'opossum', 'zookeeper'].map(
  (name) => `${manifest.name}/${name}`,
);
const plainSpecifiers = specifiers.filter((specifier) => !peerSpecifiers.includes(specifier));

describe(`${manifest.name} as published`, () => {
  let directory: TemporaryDirectory;
  let packed: PackResult;

  const consumer = (command: string, ...args: string[]): Promise<ProcessResult> =>
    runToSuccess(command, args, { cwd: directory.path, timeoutMs: 120_000 });

  const install = async (...packages: string[]): Promise<void> => {
    const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    await consumer('npm', 'install', ...flags, '--loglevel=error', ...packages);
  };

  /** Loads entries in one process and returns the names that each exports. */
  const load = async (kind: 'mjs' | 'cjs', names: readonly string[]): Promise<ExportNames> => {
    const source = `${kind === 'mjs' ? LOAD_ESM : LOAD_COMMONJS}(${JSON.stringify(names)});\n`;
    writeFileSync(join(directory.path, `load.${kind}`), source);
    const result = await consumer('node', `load.${kind}`);
    return JSON.parse(result.stdout) as ExportNames;
  };

  beforeAll(async () => {
    directory = await createTemporaryDirectory('consumer');
    await buildOnce();
    const pack = await runToSuccess(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', directory.path],
      { cwd: packageDirectory },
    );
    packed = onlyResult(JSON.parse(pack.stdout));
    writeFileSync(join(directory.path, 'package.json'), '{ "private": true }\n');
    await install(`./${packed.filename}`);
  }, 240_000);

  afterAll(() => directory.remove());

  it('holds code, declarations, sources and licence, and no tests', () => {
    const paths = packed.files.map((file) => file.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'package.json',
        'src/index.ts',
        'dist/esm/index.js',
        'dist/esm/index.d.ts',
        'dist/cjs/index.js',
        'dist/cjs/index.d.ts',
        'dist/cjs/package.json',
      ]),
    );
    expect(paths.filter((path) => /\.test\.|test-support|tsbuildinfo/u.test(path))).toEqual([]);
  });

  it('has nothing that publint objects to', async () => {
    const tarball = readFileSync(join(directory.path, packed.filename));
    const { messages, pkg } = await publint({
      strict: true,
      pack: {
        tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength),
      },
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('installs no optional peer by itself', () => {
    const installed = Object.keys(readLock(directory.path));
    expect(installed.filter((path) => peers.includes(path.replace('node_modules/', '')))).toEqual(
      [],
    );
  });

  it.each(plainSpecifiers)(
    '%s loads without any optional peer, alike by import and require',
    async (name) => {
      const esm = await load('mjs', [name]);
      const commonJs = await load('cjs', [name]);
      expect(esm[name]?.length).toBeGreaterThan(0);
      expect(commonJs).toEqual(esm);
    },
  );

  describe('with the optional peers', () => {
    beforeAll(async () => {
      const version = (peer: string): string =>
        readManifest(join(repositoryRoot, 'node_modules', peer)).version;
      await install(...peers.map((peer) => `${peer}@${version(peer)}`));
    }, 120_000);

    it('the main entry loads none of them', async () => {
      const esm = `const { register } = await import('node:module');
        register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(REPORTING_HOOK)}));
        await import('${manifest.name}');\n`;
      writeFileSync(join(directory.path, 'peers.mjs'), esm);
      const imported = await consumer('node', 'peers.mjs');
      expect(imported.stdout).toContain(manifest.name);
      expect(foreignPackages(imported.stdout)).not.toEqual(
        expect.arrayContaining([expect.toBeOneOf(peers)]),
      );

      const commonJs = `require('${manifest.name}'); console.log(Object.keys(require.cache).join('\\n'));\n`;
      writeFileSync(join(directory.path, 'peers.cjs'), commonJs);
      const required = await consumer('node', 'peers.cjs');
      expect(required.stdout).toContain(manifest.name);
      expect(foreignPackages(required.stdout)).not.toEqual(
        expect.arrayContaining([expect.toBeOneOf(peers)]),
      );
    });

    it('all entries load together, alike by import and require, and share what they have in common', async () => {
      const esm = await load('mjs', specifiers);
      const commonJs = await load('cjs', specifiers);
      expect(Object.keys(esm)).toEqual(specifiers);
      expect(commonJs).toEqual(esm);
    });

    it.each([
      { file: 'use.mjs', loading: `import { createCluster, Outcome } from '${manifest.name}';` },
      {
        file: 'use.cjs',
        loading: `const { createCluster, Outcome } = require('${manifest.name}');`,
      },
    ])('balances from $file, and TypeScript agrees with it', async ({ file, loading }) => {
      writeFileSync(join(directory.path, file), `${loading}\n${USE_A_CLUSTER}`);
      const result = await consumer('node', file);
      // Two turns of a round robin over two endpoints.
      expect(result.stdout.split(/\s+/u).filter(Boolean).sort()).toEqual([
        '127.0.0.1:8001',
        '127.0.0.1:8001',
        '127.0.0.1:8002',
        '127.0.0.1:8002',
      ]);
      await consumer('tsc', ...typeCheckArguments('nodenext'), '--checkJs', file);
    });

    it.each([
      {
        file: 'consumer.mts',
        line: (name: string, at: number) => `import * as m${at} from '${name}';`,
      },
      {
        file: 'consumer.cts',
        line: (name: string, at: number) => `import m${at} = require('${name}');`,
      },
    ])('TypeScript finds its declarations from $file', async ({ file, line }) => {
      const names = await load('mjs', specifiers);
      const lines = specifiers.flatMap((name, at) => [
        line(name, at),
        ...(names[name] ?? []).map((exported) => `void m${at}.${exported};`),
        // Declarations that were not found would make everything \`any\`, which accepts this line.
        `// @ts-expect-error\nvoid m${at}.noSuchExport;`,
      ]);
      writeFileSync(join(directory.path, file), `${lines.join('\n')}\nexport {};\n`);
      for (const module of TYPE_CHECK_MODES) {
        const result = await consumer('tsc', ...typeCheckArguments(module), file);
        expect(result.stdout).toBe('');
      }
    });
  });
});

describe('@evenkeel/bpf as published', () => {
  const from = join(repositoryRoot, 'packages/bpf');
  let directory: TemporaryDirectory;
  let packed: PackResult;
  const consumer = (command: string, ...args: string[]): Promise<ProcessResult> =>
    runToSuccess(command, args, { cwd: directory.path, timeoutMs: 120_000 });

  beforeAll(async () => {
    directory = await createTemporaryDirectory('bpf-consumer');
    await buildOnce();
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory.path];
    packed = onlyResult(JSON.parse((await runToSuccess('npm', pack, { cwd: from })).stdout));
    writeFileSync(join(directory.path, 'package.json'), '{ "private": true }\n');
    // Without install scripts: koffi's binary comes as a package of its own.
    const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    await consumer('npm', 'install', ...flags, '--loglevel=error', `./${packed.filename}`);
  }, 240_000);

  afterAll(() => directory.remove());

  it('holds what users need to build programs, and no tests', async () => {
    const paths = packed.files.map((file) => file.path);
    expect(paths).toEqual(
      expect.arrayContaining(['include/evenkeel/bpf.h', 'bin/evenkeel-bpf.js', 'LICENSE']),
    );
    expect(paths.filter((path) => /\.test\.|test-support|tsbuildinfo/u.test(path))).toEqual([]);
    const tarball = new Uint8Array(readFileSync(join(directory.path, packed.filename)));
    const { messages, pkg } = await publint({ strict: true, pack: { tarball: tarball.buffer } });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('loads alike by import and require', async () => {
    const names = ['@evenkeel/bpf', '@evenkeel/bpf/build'];
    const results: string[] = [];
    for (const [kind, loader] of [
      ['mjs', LOAD_ESM],
      ['cjs', LOAD_COMMONJS],
    ] as const) {
      writeFileSync(join(directory.path, `load.${kind}`), `${loader}(${JSON.stringify(names)});\n`);
      results.push((await consumer('node', `load.${kind}`)).stdout);
    }
    expect(results[0]).toContain('loadObject');
    expect(results[1]).toBe(results[0]);
  });

  it('brings its command', async () => {
    const { stdout } = await consumer('node_modules/.bin/evenkeel-bpf', '--help');
    expect(stdout).toContain('Usage: evenkeel-bpf build');
  });

  const tools = [requireComponent('clang'), requireComponent('bpftool')];
  const lacksTools = tools.some(({ path }) => path === undefined);
  it.skipIf(lacksTools)('finds its header from either module format', async () => {
    writeFileSync(join(directory.path, 'tiny.bpf.c'), TINY_PROGRAM);
    const build = `const built = buildObject('tiny.bpf.c'); console.log(built.module)`;
    for (const [kind, source] of [
      ['mjs', `import { buildObject } from '@evenkeel/bpf/build'; ${build}`],
      ['cjs', `const { buildObject } = require('@evenkeel/bpf/build'); ${build}`],
    ] as const) {
      writeFileSync(join(directory.path, `build.${kind}`), source);
      expect((await consumer('node', `build.${kind}`)).stdout).toBe('tiny.ts\n');
    }
  });
});

const TINY_PROGRAM = `#include <evenkeel/bpf.h>
SEC("xdp") int pass(struct xdp_md *context) { return XDP_PASS; }
EVENKEEL_LICENSE;
`;

type ExportNames = Readonly<Record<string, readonly string[]>>;

/** node18 refuses to require an ES module, which proves that a .cts file gets CommonJS declarations. */
const TYPE_CHECK_MODES = ['nodenext', 'node18'] as const;

function typeCheckArguments(module: string): string[] {
  const typeRoots = join(repositoryRoot, 'node_modules/@types');
  const options = { module, target: 'es2024', types: 'node', typeRoots };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return ['--ignoreConfig', '--noEmit', '--strict', ...flags];
}

/**
 * Prints the export names of each entry, after checking that a class or function that two entries
 * export under one name is one and the same: two copies would mean two copies of the state behind.
 */
const REPORT = `
  const seen = new Map(), report = {};
  for (const [name, loaded] of entries) {
    report[name] = Object.keys(loaded).filter((key) => key !== 'default' && key !== 'module.exports').sort();
    for (const key of report[name]) {
      if (seen.has(key) && seen.get(key) !== loaded[key]) throw new Error('two copies of ' + key);
      seen.set(key, loaded[key]);
    }
  }
  console.log(JSON.stringify(report));
`;
const LOAD_ESM = `await (async (names) => {
  const entries = [];
  for (const name of names) entries.push([name, await import(name)]);
  ${REPORT}
})`;
const LOAD_COMMONJS = `((names) => {
  const entries = names.map((name) => [name, require(name)]);
  ${REPORT}
})`;

/** The face as an application uses it; JavaScript that TypeScript can check. */
const USE_A_CLUSTER = `
async function main() {
  const users = createCluster({
    name: 'users',
    discovery: ['127.0.0.1:8001', '127.0.0.1:8002'],
    policy: 'round-robin',
  });
  await users.ready();
  for (let turn = 0; turn < 4; turn += 1) {
    const lease = users.acquire();
    console.log(lease.endpoint.id);
    lease.finish(Outcome.success);
  }
  await users.close();
}
main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
`;

/** A module loader hook that prints the address of everything that is imported. */
const REPORTING_HOOK = `
  import { writeSync } from 'node:fs';
  export async function load(url, context, next) {
    writeSync(1, url + '\\n');
    return next(url, context);
  }
`;

/** The packages among the addresses of loaded modules. */
function foreignPackages(addresses: string): string[] {
  const found = addresses.matchAll(/node_modules\/((?:@[^/\s]+\/)?[^/\s]+)/gu);
  return [...new Set([...found].map((match) => match[1] ?? ''))];
}

function readLock(root: string): Record<string, unknown> {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  return (JSON.parse(text) as { packages: Record<string, unknown> }).packages;
}

/** npm prints a list of packed packages; newer versions key it by name. */
function onlyResult(output: unknown): PackResult {
  const [result] = Object.values(output as Record<string, PackResult>);
  if (result === undefined) throw new Error('npm pack printed no result');
  return result;
}
