/** Every supported Node with every supported undici underneath and every kind of caller on top. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { runProcess } from '../../../../../test/support/run-process.ts';

const support = join(import.meta.dirname, 'test-support');

const nodes = [
  { node: 'Node 22', path: requireComponent('node-22').path },
  { node: 'Node 24', path: requireComponent('node-24').path },
  { node: `Node ${process.versions.node.split('.')[0] ?? ''}`, path: process.execPath },
];
const backings = [
  { undici: 'undici 7', flags: ['--import', join(support, 'use-undici-7.ts')] },
  { undici: 'undici 8', flags: [] },
];

describe.each(nodes)('$node', ({ path }) => {
  it.skipIf(path === undefined).each(backings)(
    'on $undici serves every caller',
    async ({ flags }) => {
      const { code, stdout, stderr } = await runProcess(
        path as string,
        [...flags, join(support, 'matrix-script.ts')],
        {
          timeoutMs: 30_000,
        },
      );
      expect(
        stderr
          .split('\n')
          .filter((line) => line !== '' && !/Warning|node --trace-warnings/.test(line)),
      ).toEqual([]);
      expect(JSON.parse(stdout)).toEqual({
        'built-in fetch': 'ok',
        'bound fetch': 'ok',
        'undici 7 fetch': 'ok',
        'undici 8 fetch': 'ok',
        'undici 7 client': 'ok',
        'undici 8 client': 'ok',
        'undici 7 setGlobalDispatcher': 'ok',
        'undici 8 setGlobalDispatcher': 'ok',
        'undici 7 WebSocket': 'ok',
        'undici 8 WebSocket': 'ok',
        'built-in WebSocket': 'ok',
        'async context': 'ok',
        'left in flight': '0',
      });
      expect(code).toBe(0);
    },
  );

  it.skipIf(path === undefined)('stays alive for a request between two tries', async () => {
    const waiting = join(support, 'waiting-script.ts');
    const { code, stdout } = await runProcess(path as string, [waiting]);
    expect([code, stdout.trim()]).toEqual([0, 'ECONNREFUSED 6']);
  });
});
