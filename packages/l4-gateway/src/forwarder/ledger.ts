import { SocketAddress } from 'node:net';
import { type BpfMap, bytes, createMap, type MapSpec, struct, u32, u64 } from '@evenkeel/bpf';
import type { Traffic } from './statistics.ts';

/** What a target number is used for: written before the number's record, removed after it. */
export interface LedgerEntry {
  /** Name of the VIP, as {@link ParsedVip.name} has it. */
  readonly owner: string;
  readonly weight: number;
  /** What the counters said when the number was given out. */
  readonly baseline: Traffic;
}

const OWNER_BYTES = 96;

interface LedgerRecord {
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly weight: number;
  readonly owner: Uint8Array;
}

/** A map that no program reads: user space's own memory, which outlives the process with the other maps. */
export const LEDGER_SPEC: MapSpec<'hash', number, LedgerRecord> = {
  name: 'ledger',
  type: 'hash',
  key: u32,
  value: struct<LedgerRecord>('ledger_record', 120, {
    packets: [0, u64],
    bytes: [8, u64],
    weight: [16, u32],
    owner: [20, bytes(OWNER_BYTES)],
  }),
  maxEntries: 16_384,
};

/** Which VIP has which target number: what a successor has to know besides the program's tables. */
export class Ledger {
  readonly map: BpfMap<number, LedgerRecord>;

  constructor(map: BpfMap<number, LedgerRecord> = createMap(LEDGER_SPEC)) {
    this.map = map;
  }

  write(number: number, { owner, weight, baseline }: LedgerEntry): void {
    const text = new Uint8Array(OWNER_BYTES);
    new TextEncoder().encodeInto(owner, text);
    this.map.update(number, { ...baseline, weight, owner: text });
  }

  delete(number: number): void {
    this.map.delete(number);
  }

  *entries(): Generator<readonly [number, LedgerEntry]> {
    for (const [number, { packets, bytes: counted, weight, owner }] of this.map.entries()) {
      const end = owner.indexOf(0);
      const text = new TextDecoder().decode(end < 0 ? owner : owner.subarray(0, end));
      yield [number, { owner: text, weight, baseline: { packets, bytes: counted } }];
    }
  }
}

/** The text of an address as the program's tables have it. */
export function addressText(wire: Uint8Array, family: number): string {
  if (family === 4) return wire.subarray(0, 4).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((wire[2 * index] as number) << 8) | (wire[2 * index + 1] as number)).toString(16),
  );
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
