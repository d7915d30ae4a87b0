/** The modules in the repository are those of the C sources beside them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../../..');
const tool = join(root, 'packages/bpf/bin/evenkeel-bpf.js');
const own = join(root, 'packages/l4-gateway/src/forwarder');

it.each([
  [join(root, 'packages/l4-gateway/bpf/forwarder.bpf.c'), join(own, 'generated')],
  [
    join(root, 'packages/l4-gateway/bpf/decap.bpf.c'),
    join(root, 'packages/l4-gateway/src/real/generated'),
  ],
  [join(root, 'bench/suites/xdp/programs/scale.bpf.c'), join(root, 'bench/suites/xdp/generated')],
])('%s has not changed since its module was generated', (source, out) => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@evenkeel/source', tool, 'build', '--check', '--out', out, source],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
