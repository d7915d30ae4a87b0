/** Who may import whom in `packages/bpf`; a part of `import-table.ts`. */
import type { ImportRow } from './import-table.ts';

export const bpfImports: readonly ImportRow[] = [
  {
    folder: '.',
    may: [
      'error',
      'kernel',
      'runtime',
      'codec',
      'spec',
      'map',
      'ring',
      'program',
      'link',
      'pin',
      'probe',
      'object',
    ],
    packages: [],
    note: 'the main entry: what other packages and users see',
  },
  { folder: 'error', may: [], packages: [], note: 'imports nothing' },
  {
    folder: 'kernel',
    may: ['error'],
    packages: ['node:fs', 'node:os'],
    note: 'the port to the operating system, and the numbers of its interface',
  },
  {
    folder: 'kernel/koffi',
    may: ['error', 'kernel'],
    packages: ['koffi', 'node:os'],
    note: 'the only place that knows the foreign-function interface',
  },
  { folder: 'runtime', may: [], packages: [], note: 'the only place with timers' },
  { folder: 'codec', may: ['error'], packages: [], note: 'C values as TypeScript values' },
  {
    folder: 'btf',
    may: ['error'],
    packages: [],
    note: 'type information of compilers; trusts no byte',
  },
  {
    folder: 'spec',
    may: ['codec', 'kernel/uapi.table.ts'],
    packages: [],
    note: 'what generated modules contain: types only',
  },
  { folder: 'map', may: ['error', 'kernel', 'codec', 'spec'], packages: ['node:fs'] },
  {
    folder: 'ring',
    may: ['error', 'kernel', 'codec', 'spec', 'runtime', 'map/map-handle.ts'],
    packages: [],
  },
  { folder: 'program', may: ['error', 'kernel', 'spec'], packages: [] },
  {
    folder: 'link',
    may: ['error', 'kernel', 'program/program.ts'],
    packages: ['node:fs'],
    note: 'attaching; every link is asked whether it holds',
  },
  { folder: 'pin', may: ['error', 'kernel'], packages: ['node:fs', 'node:path'] },
  {
    folder: 'probe',
    may: ['error', 'kernel', 'codec', 'spec', 'map/map-handle.ts', 'pin/bpffs.ts'],
    packages: ['node:fs', 'node:os'],
    note: 'finds out by trying, and leaves nothing behind',
  },
  {
    folder: 'object',
    may: ['error', 'kernel', 'codec', 'spec', 'map', 'ring', 'program', 'link', 'pin'],
    packages: ['node:fs', 'node:zlib'],
    note: 'composes what is below: loading, adopting, pinning',
  },
  {
    folder: 'build',
    may: ['error', 'btf', 'kernel/uapi.table.ts'],
    packages: ['node:*'],
    note: 'the build tool: never part of what runs on the target',
  },
];
