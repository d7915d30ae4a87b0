import { describe, expect, it } from 'vitest';
import { canRebuildSockets } from './rebuild-probe.ts';

describe('the attempt to read accepted sockets through one buffer', () => {
  it('succeeds with every version of Node that is supported', async () => {
    // Where it fails a proxy works as well, and each request costs more.
    expect(await canRebuildSockets()).toBe(true);
  });
});
