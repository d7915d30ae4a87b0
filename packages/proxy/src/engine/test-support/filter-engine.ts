/** What tests of filters share. */
import { afterEach } from 'vitest';
import type { BodyFilter, Filter } from '../../filter/filter.ts';
import { EngineFixture, type EngineOptions } from './engine-fixture.ts';

export type OnData = Parameters<typeof EngineFixture.start>[0];

/** Starts an engine with these filters on its only route; it is closed after each test. */
export function filterEngine(): (
  filters: readonly Filter[],
  onData: OnData,
  options?: EngineOptions,
) => Promise<EngineFixture> {
  const started: EngineFixture[] = [];
  afterEach(async () => {
    for (const engine of started.splice(0)) await engine.close();
  });
  return async (filters, onData, options = {}) => {
    const engine = await EngineFixture.start(onData, { filters, ...options });
    started.push(engine);
    return engine;
  };
}

export const later = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What a chunked body holds. */
export function dechunked(text: string): string {
  let [rest, body] = [text, ''];
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const from = rest.indexOf('\r\n') + 2;
    if (!(size > 0)) return body;
    body += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
  }
}

export const bodyOf = (message: string): string => message.slice(message.indexOf('\r\n\r\n') + 4);

/** Doubles every byte and adds an end; `how` says whether at once or later. */
export function doubling(how: 'now' | 'later', log: string[] = []): BodyFilter {
  const double = (chunk: Buffer): Buffer =>
    Buffer.from([...chunk.toString('latin1')].map((byte) => byte + byte).join(''), 'latin1');
  return {
    transform: (chunk) => (how === 'now' ? double(chunk) : later().then(() => double(chunk))),
    flush: () => (how === 'now' ? Buffer.from('.') : later().then(() => Buffer.from('.'))),
    close: () => void log.push('close'),
  };
}

export const upper: BodyFilter = {
  keepsLength: true,
  transform: (chunk) => Buffer.from(chunk.toString('latin1').toUpperCase(), 'latin1'),
};
