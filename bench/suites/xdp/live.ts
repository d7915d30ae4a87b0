/** Frames that really travel: over a virtual cable to the program and back. */
import { join } from 'node:path';
import { Child } from '../../support/child.ts';
import { formatTable } from '../../support/table.ts';
import type { LiveRequest, LiveTimes } from './live-process.ts';

export interface Live {
  readonly figures: Readonly<Record<string, number>>;
  readonly table: string;
}

/** Beside a program that sends frames back as they are, and one that puts constant bytes in front. */
export async function measureLive(quick: boolean): Promise<Live> {
  const child = new Child<LiveRequest, LiveTimes[]>(join(import.meta.dirname, 'live-process.ts'), {
    prefix: ['unshare', '-n'],
  });
  try {
    const times = await child.ask({
      frames: quick ? 20_000 : 300_000,
      rounds: quick ? 1 : 7,
    });
    const figures = times.map(
      ({ mode, tx, forward }) => [`live-${mode}/tx`, forward / tx] as const,
    );
    const table = formatTable(
      ['ns per live frame', 'send back', 'encap floor', 'forwarder', 'Mpps', 'came back'],
      times.map(({ mode, tx, encap, forward, returned }) => [
        ...[mode, tx, encap, forward],
        (1_000 / forward).toFixed(2),
        returned.toFixed(4),
      ]),
    );
    return { figures: Object.fromEntries(figures), table };
  } finally {
    await child.close();
  }
}
