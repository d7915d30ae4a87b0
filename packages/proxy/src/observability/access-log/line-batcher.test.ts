import { createManualRuntime } from '@evenkeel/core/testing';
import { describe, expect, it } from 'vitest';
import { LineBatcher } from './line-batcher.ts';

/** Lets promises that are settled run on. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

function scene(options: { maxCharacters?: number } = {}) {
  const { scheduler } = createManualRuntime();
  const written: string[] = [];
  const pending: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const batcher = new LineBatcher({
    scheduler,
    maxCharacters: options.maxCharacters ?? 1_000_000,
    write: (lines) => {
      written.push(lines);
      return new Promise<void>((resolve, reject) => pending.push({ resolve, reject }));
    },
  });
  return { scheduler, written, pending, batcher };
}

describe('lines of the log', () => {
  it('are written in batches, one at a time', async () => {
    const { scheduler, written, pending, batcher } = scene();
    batcher.add('a');
    batcher.add('b');
    expect(written).toEqual([]);
    scheduler.advance(100);
    expect(written).toEqual(['a\nb\n']);
    batcher.add('c');
    scheduler.advance(10_000);
    expect(written).toHaveLength(1);
    pending[0]?.resolve();
    await settle();
    scheduler.advance(1);
    expect(written).toEqual(['a\nb\n', 'c\n']);
  });

  it('do not wait when there are many', () => {
    const { written, batcher } = scene();
    for (let count = 0; count < 1_000; count++) batcher.add('x'.repeat(99));
    expect(written.join('').length).toBeGreaterThanOrEqual(65_536);
  });

  it('that do not fit are dropped and counted, and memory is bounded', async () => {
    const { scheduler, written, pending, batcher } = scene({ maxCharacters: 100 });
    batcher.add('first');
    scheduler.advance(100);
    for (let count = 0; count < 50; count++) batcher.add('123456789');
    expect(batcher.droppedCount).toBe(50 - 100 / '123456789\n'.length);
    pending[0]?.resolve();
    await settle();
    scheduler.advance(1);
    expect(written[1]).toBe('123456789\n'.repeat(10));
  });

  it('whose writing fails are lost and counted, and the next ones are written', async () => {
    const { scheduler, written, pending, batcher } = scene();
    batcher.add('a');
    batcher.add('b');
    scheduler.advance(100);
    pending[0]?.reject(new Error('disk full'));
    await settle();
    expect(batcher.droppedCount).toBe(2);
    batcher.add('c');
    scheduler.advance(100);
    expect(written[1]).toBe('c\n');
  });

  it('are all written before the log closes, unless nobody takes them', async () => {
    const { scheduler, written, pending, batcher } = scene();
    batcher.add('a');
    let isClosed = false;
    const closing = batcher.close(1_000).then(() => (isClosed = true));
    await settle();
    expect(written).toEqual(['a\n']);
    expect(isClosed).toBe(false);
    pending[0]?.resolve();
    await closing;
    batcher.add('b');
    const late = batcher.close(1_000);
    scheduler.advance(1_000);
    await late;
    expect(scheduler.pendingCount).toBe(0);
  });
});
