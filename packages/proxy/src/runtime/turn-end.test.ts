import { describe, expect, it } from 'vitest';
import { systemTurnEnd } from './turn-end.ts';

describe('the end of a turn', () => {
  it('comes after everything that was promised, once, in order', async () => {
    const log: string[] = [];
    systemTurnEnd(() => {
      log.push('first');
      systemTurnEnd(() => log.push('next turn'));
    });
    systemTurnEnd(() => log.push('second'));
    await Promise.resolve().then(() => log.push('promise'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['promise', 'first', 'second']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.at(-1)).toBe('next turn');
  });

  it('is not lost for others when a task throws', async () => {
    const log: string[] = [];
    const thrown = new Promise((resolve) => process.once('uncaughtExceptionMonitor', resolve));
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', () => log.push('caught'));
    systemTurnEnd(() => {
      throw new Error('on purpose');
    });
    const rest = new Promise<void>((resolve) => systemTurnEnd(resolve));
    await thrown;
    await rest;
    for (const other of others) process.on('uncaughtException', other);
    expect(log).toEqual(['caught']);
  });
});
