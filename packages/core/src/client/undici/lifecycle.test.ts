import { describe, expect, it } from 'vitest';
import { Lifecycle } from './lifecycle.ts';

function setUp() {
  const log: string[] = [];
  const idle = Promise.withResolvers<void>();
  const lifecycle: Lifecycle = new Lifecycle({
    close: async () => {
      log.push('close');
      await idle.promise;
    },
    destroy: async (error) => {
      log.push(`destroy ${error.message} ${String(lifecycle.destroyed)}`);
    },
  });
  return { log, idle, lifecycle };
}

describe('Lifecycle', () => {
  it('closes, then is destroyed', async () => {
    const { log, idle, lifecycle } = setUp();
    const closing = lifecycle.close();
    expect([lifecycle.closed, lifecycle.destroyed]).toEqual([true, false]);
    idle.resolve();
    await closing;
    expect([lifecycle.closed, lifecycle.destroyed]).toEqual([true, true]);
    expect(log).toEqual(['close', 'destroy the dispatcher is closed true']);
  });

  it('says that it is destroyed before it destroys anything', async () => {
    const { log, lifecycle } = setUp();
    await lifecycle.destroy(new Error('now'));
    expect(log).toEqual(['destroy now true']);
    expect(lifecycle.closed).toBe(true);
  });

  it('does each only once, and calls everybody back', async () => {
    const { log, idle, lifecycle } = setUp();
    const called: unknown[] = [];
    void lifecycle.close((error, data) => called.push([error, data]));
    void lifecycle.close((error, data) => called.push([error, data]));
    idle.resolve();
    await lifecycle.close();
    await lifecycle.destroy();
    await new Promise<void>((resolve) => {
      void lifecycle.destroy(null, () => resolve());
    });
    await new Promise<void>((resolve) => {
      void lifecycle.destroy(() => resolve());
    });
    expect(log).toHaveLength(2);
    expect(called).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  it('can be destroyed while it closes', async () => {
    const { log, idle, lifecycle } = setUp();
    const closing = lifecycle.close();
    await lifecycle.destroy(new Error('enough'));
    idle.resolve();
    await closing;
    expect(log).toEqual(['close', 'destroy enough true']);
  });

  it('refuses a callback that is none', () => {
    const { lifecycle } = setUp();
    expect(() => lifecycle.close('x' as never)).toThrow(TypeError);
    expect(() => lifecycle.destroy(null, 'x' as never)).toThrow(TypeError);
  });
});
