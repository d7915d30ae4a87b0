/** What became of a packet: verdict, frame, the counters that moved. */
import type { Forwarder, PacketCounts } from '../../index.ts';
import { send } from './opened.ts';

export interface Judged {
  readonly verdict: string | undefined;
  readonly data: Buffer;
  readonly counted: (keyof PacketCounts)[];
}

export function judge(forwarder: Forwarder, input: Uint8Array): Judged {
  const before = forwarder.statistics().packets;
  const { verdict, data } = send(forwarder, input);
  const after = forwarder.statistics().packets;
  const counted = (Object.keys(after) as (keyof PacketCounts)[]).filter(
    (name) => after[name] !== before[name],
  );
  return { verdict, data, counted };
}
