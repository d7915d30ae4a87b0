import { describe, expect, it } from 'vitest';
import { Usage } from '../runtime/usage.ts';
import { type Part, Parts } from './parts.ts';

class Recorded implements Part {
  closedCount = 0;
  close(): void {
    this.closedCount++;
  }
}

describe('the parts of configurations', () => {
  it('are closed with the last request of the last configuration that has them', async () => {
    const parts = new Parts();
    const [onlyFirst, both] = [new Recorded(), new Recorded()];
    const firstUsage = new Usage();
    const secondUsage = new Usage();
    firstUsage.enter();
    const first = parts.hold([onlyFirst, both], firstUsage);
    const second = parts.hold([both], secondUsage);
    const retired = first.retire();
    await Promise.resolve();
    expect([onlyFirst.closedCount, both.closedCount]).toEqual([0, 0]);
    firstUsage.leave();
    await retired;
    expect([onlyFirst.closedCount, both.closedCount]).toEqual([1, 0]);
    await second.retire();
    expect(both.closedCount).toBe(1);
    expect([...parts]).toEqual([]);
  });

  it('wait for listeners that still give requests to their configuration', async () => {
    const parts = new Parts();
    const part = new Recorded();
    const usage = new Usage();
    const { promise, resolve } = Promise.withResolvers<void>();
    const retired = parts.hold([part], usage).retire(promise);
    usage.enter();
    usage.leave();
    await Promise.resolve();
    expect(part.closedCount).toBe(0);
    usage.enter();
    resolve();
    await Promise.resolve();
    expect(part.closedCount).toBe(0);
    usage.leave();
    await retired;
    expect(part.closedCount).toBe(1);
  });

  it('do not wait for an older configuration that never had them', async () => {
    const parts = new Parts();
    const oldest = new Usage();
    oldest.enter();
    void parts.hold([new Recorded()], oldest).retire();
    const part = new Recorded();
    await parts.hold([part], new Usage()).retire();
    expect(part.closedCount).toBe(1);
  });

  it('say when they are gone, also by the end of it all', async () => {
    const parts = new Parts();
    const part = new Recorded();
    const usage = new Usage();
    usage.enter();
    const generation = parts.hold([part, part], usage);
    const gone = parts.gone(part);
    await parts.close();
    await gone;
    usage.leave();
    await generation.retire();
    expect(part.closedCount).toBe(1);
    await parts.gone(part);
  });

  it('are gone even if they do not close well', async () => {
    const parts = new Parts();
    const part: Part = { close: () => Promise.reject(new Error('no')) };
    const generation = parts.hold([part], new Usage());
    const gone = parts.gone(part);
    await expect(generation.retire()).rejects.toThrow('no');
    await gone;
  });
});
