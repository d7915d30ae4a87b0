/** Compiles BPF C sources into typed TypeScript modules: clang, then bpftool, then the generator. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BpfError } from '../error/bpf-error.ts';
import { assertLoadableSections } from './describe-maps.ts';
import { parseElf } from './elf.ts';
import { generateModule, INPUT_MARK, type InputFile } from './module-source.ts';

export interface BuildOptions {
  /** Folder of the generated module. Default: that of the source. */
  readonly outDirectory?: string;
  /** Folders searched for headers, besides the source's own and this package's `include`. */
  readonly includes?: readonly string[];
  /** Macros, `NAME` or `NAME=VALUE`. */
  readonly defines?: readonly string[];
  /** Where the module imports the package from. Default `@evenkeel/bpf`. */
  readonly importFrom?: string;
  /** Default: `clang` and `bpftool` of the search path, or of /usr/sbin. */
  readonly clang?: string;
  readonly bpftool?: string;
}

/** What `build` wrote. */
export interface BuildResult {
  readonly module: string;
  readonly inputs: readonly InputFile[];
}

const SOURCE_ENDING = '.bpf.c';

/** Where the header `<evenkeel/bpf.h>` is: `include` of this package, from the sources as from `dist`. */
function ownIncludes(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'include', 'evenkeel', 'bpf.h'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw buildError('the package is incomplete: include/evenkeel/bpf.h is missing');
    folder = parent;
  }
  return join(folder, 'include');
}

/**
 * Builds one source into `<out>/<name>.ts`.
 *
 * @throws BpfError `EVENKEEL_BPF_BUILD` with what the compiler said
 */
export function buildObject(source: string, options: BuildOptions = {}): BuildResult {
  const name = objectName(source);
  const module = modulePath(source, options);
  const work = mkdtempSync(join(tmpdir(), 'evenkeel-bpf-'));
  try {
    const object = join(work, `${name}.o`);
    const dependencies = join(work, `${name}.d`);
    compile(source, { object, dependencies }, options);
    // Before bpftool, whose words for it help nobody.
    assertLoadableSections(parseElf(readFileSync(object)));
    const identifier = name.replace(/\W/gu, '_');
    const bpftool = options.bpftool ?? findTool('bpftool');
    const skeleton = run(bpftool, ['gen', 'skeleton', '-L', object, 'name', identifier]);
    const inputs = inputFiles(readFileSync(dependencies, 'utf8'), dirname(module));
    const text = generateModule({
      name,
      object: readFileSync(object),
      skeletonHeader: skeleton,
      inputs,
      ...(options.importFrom === undefined ? {} : { importFrom: options.importFrom }),
    });
    mkdirSync(dirname(module), { recursive: true });
    writeFileSync(module, text);
    return { module, inputs };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Why a generated module is not up to date; undefined when it is. Needs neither clang nor bpftool. */
export function staleReason(source: string, options: BuildOptions = {}): string | undefined {
  const module = modulePath(source, options);
  if (!existsSync(module)) return `${module} does not exist`;
  const lines = readFileSync(module, 'utf8').split('\n');
  const inputs = lines
    .filter((line) => line.startsWith(INPUT_MARK))
    .map((line) => line.slice(INPUT_MARK.length).split(' '));
  if (inputs.length === 0) return `${module} does not say what it was made from`;
  for (const [path = '', hash] of inputs) {
    const file = resolve(dirname(module), path);
    if (!existsSync(file)) return `${path} is gone`;
    if (hashOf(file) !== hash) return `${path} has changed`;
  }
  return undefined;
}

function modulePath(source: string, { outDirectory }: BuildOptions): string {
  return join(outDirectory ?? dirname(source), `${objectName(source)}.ts`);
}

function objectName(source: string): string {
  const file = basename(source);
  if (!file.endsWith(SOURCE_ENDING))
    throw buildError(`${source}: the name of a source ends with ${SOURCE_ENDING}`);
  return file.slice(0, -SOURCE_ENDING.length);
}

interface Outputs {
  readonly object: string;
  readonly dependencies: string;
}

function compile(source: string, { object, dependencies }: Outputs, options: BuildOptions): void {
  if (!existsSync(source)) throw buildError(`${source} does not exist`);
  const { includes = [], defines = [] } = options;
  // Headers of one processor's ABI (<asm/types.h>); the code is the same for all little-endian ones.
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  run(options.clang ?? findTool('clang'), [
    ...['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Werror'],
    ...['-fno-stack-protector', `-ffile-prefix-map=${dirname(resolve(source))}=.`],
    ...[...includes, ownIncludes()].map((folder) => `-I${folder}`),
    ...['-isystem', `/usr/include/${machine}-linux-gnu`],
    ...defines.map((define) => `-D${define}`),
    ...['-MMD', '-MF', dependencies, '-c', source, '-o', object],
  ]);
}

/** Files named by the compiler's dependency list (`out: in in \` in the form of make). */
function inputFiles(dependencies: string, from: string): InputFile[] {
  const [, list = ''] = dependencies.replace(/\\\n/gu, ' ').split(/:\s/u);
  const files = list.split(/(?<!\\)\s+/u).map((file) => file.replace(/\\ /gu, ' ').trim());
  return files
    .filter((file) => file !== '')
    .map((file) => ({ path: relative(from, resolve(file)), hash: hashOf(file) }));
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Debian keeps bpftool in sbin, which an ordinary user's search path lacks. */
function findTool(name: 'clang' | 'bpftool'): string {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw buildError(`${name} is not installed (Debian package ${name})`);
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (result.status === 0) return result.stdout;
  const said = `${result.stderr ?? ''}${result.error?.message ?? ''}`.trim();
  throw buildError(`${basename(command)} failed:\n${said}`);
}

function buildError(message: string): BpfError {
  return new BpfError('EVENKEEL_BPF_BUILD', message);
}
