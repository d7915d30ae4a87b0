import { describe, expect, it } from 'vitest';
import { Usage } from './usage.ts';

const isOver = async (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), Promise.resolve().then(() => false)]);

describe('usage', () => {
  it('is over at once where there is none', async () => {
    await new Usage().retire();
  });

  it('is over with the last one who leaves', async () => {
    const usage = new Usage();
    usage.enter();
    usage.enter();
    const over = usage.retire();
    usage.leave();
    expect(usage.count).toBe(1);
    expect(await isOver(over)).toBe(false);
    usage.leave();
    await over;
    expect(usage.retire()).toBe(over);
  });

  it('does not end by being unused before it is retired', async () => {
    const usage = new Usage();
    usage.enter();
    usage.leave();
    usage.enter();
    const over = usage.retire();
    expect(await isOver(over)).toBe(false);
    usage.leave();
    await over;
  });
});
