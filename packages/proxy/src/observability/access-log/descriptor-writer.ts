/**
 * Writes to a file descriptor from the thread pool. `process.stdout` would write pipes and files synchronously, and a
 * reader that stops would stop the proxy.
 */
import type { Scheduler } from '@evenkeel/core';
import { write } from 'node:fs';

/** How long to wait for a pipe that takes nothing. */
const FULL_MS = 10;

export function descriptorWriter(
  descriptor: number,
  scheduler: Scheduler,
): (lines: string) => Promise<void> {
  return async (lines) => {
    const bytes = Buffer.from(lines);
    let at = 0;
    while (at < bytes.length) {
      const count = await writeSome(descriptor, bytes, at);
      at += count;
      if (count === 0) await new Promise<void>((resolve) => scheduler.after(FULL_MS, resolve));
    }
  };
}

/** @returns 0 when the descriptor takes nothing now */
function writeSome(descriptor: number, bytes: Buffer, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, from, bytes.length - from, null, (error, count) => {
      if (error === null) resolve(count);
      else if (error.code === 'EAGAIN') resolve(0);
      else reject(error);
    });
  });
}
