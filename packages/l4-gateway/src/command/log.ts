import type { Clock, Logger } from '@evenkeel/core';
import { isoTime } from '../runtime/iso-time.ts';

export type LogFormat = 'text' | 'json';

/** Lines on a stream, for people or for machines. */
export function createLogger(
  write: (text: string) => void,
  { format, clock }: { readonly format: LogFormat; readonly clock: Clock },
): Logger {
  const log =
    (level: string) =>
    (fields: object, message: string): void => {
      const time = isoTime(clock.wallMs());
      if (format === 'json') write(`${JSON.stringify({ time, level, message, ...fields })}\n`);
      else write(`${time} ${level.padEnd(5)} ${message}${textOf(fields)}\n`);
    };
  return { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') };
}

function textOf(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
}
