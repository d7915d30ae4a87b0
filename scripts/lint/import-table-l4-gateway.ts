/** Who may import whom in `packages/l4-gateway`; a part of `import-table.ts`. */
import type { ImportRow } from './import-table.ts';

export const l4GatewayImports: readonly ImportRow[] = [
  {
    folder: '.',
    may: ['forwarder'],
    packages: [],
    note: 'the main entry: what users see',
  },
  {
    folder: 'forwarder',
    may: [],
    packages: [
      'node:crypto',
      'node:net',
      '@evenkeel/bpf',
      '@evenkeel/core',
      '@evenkeel/core/algorithm',
    ],
    note: 'the XDP program and its tables',
  },
];
