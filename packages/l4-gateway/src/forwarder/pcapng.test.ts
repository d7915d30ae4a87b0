import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PcapngFile, pcapngHeader, pcapngPacket } from './pcapng.ts';
import type { TracedPacket } from './trace.ts';

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** As a reader goes about it: every block says its length twice, and lengths are multiples of four. */
function blocksOf(file: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(file.readUInt32LE(at + length - 4)).toBe(length);
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt16LE(at + 2);
    options.set(bytes.readUInt16LE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return options;
}

function frameOf({ type, body }: Block) {
  expect(type).toBe(6);
  const captured = body.readUInt32LE(12);
  const options = optionsOf(body.subarray(20 + Math.ceil(captured / 4) * 4));
  return {
    interface: body.readUInt32LE(0),
    timeNs: (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8)),
    length: body.readUInt32LE(16),
    bytes: body.subarray(20, 20 + captured),
    comment: options.get(1)?.toString(),
    flags: options.get(2)?.readUInt32LE(),
    id: options.get(5)?.readBigUInt64LE(),
  };
}

const packet: TracedPacket = {
  id: 0x0100_0007,
  cpu: 1,
  interfaceIndex: 2,
  received: { timeNs: 1_000n, bytes: Buffer.from('received'), length: 1_500 },
  left: { timeNs: 2_500n, bytes: Buffer.from('left it'), length: 1_520 },
  verdict: 'tx',
  steps: ['VIP 10.200.1.1:80/tcp', 'ring: 10.0.0.11'],
};

describe('a capture file', () => {
  it('begins with a section and an Ethernet interface that counts nanoseconds', () => {
    const [section, description, ...rest] = blocksOf(pcapngHeader());
    expect(rest).toEqual([]);
    expect(section?.type).toBe(0x0a0d0d0a);
    expect(section?.body.readUInt32LE(0)).toBe(0x1a2b3c4d);
    expect([section?.body.readUInt16LE(4), section?.body.readUInt16LE(6)]).toEqual([1, 0]);
    expect(description?.type).toBe(1);
    expect(description?.body.readUInt16LE(0)).toBe(1);
    expect(optionsOf(description!.body.subarray(8)).get(9)).toEqual(Buffer.from([9]));
  });

  it('has a packet as it came, with what happened to it, and as it left', () => {
    const epochNs = 1_700_000_000_000_000_000n;
    const frames = blocksOf(pcapngPacket(packet, { epochNs })).map(frameOf);
    expect(frames).toEqual([
      {
        interface: 0,
        timeNs: epochNs + 1_000n,
        length: 1_500,
        bytes: Buffer.from('received'),
        comment: 'VIP 10.200.1.1:80/tcp | ring: 10.0.0.11 | tx',
        flags: 1,
        id: 0x0100_0007n,
      },
      {
        interface: 0,
        timeNs: epochNs + 2_500n,
        length: 1_520,
        bytes: Buffer.from('left it'),
        comment: undefined,
        flags: 2,
        id: 0x0100_0007n,
      },
    ]);
  });

  it.each(['drop', 'pass', 'aborted'] as const)(
    'has no second frame when it is not sent: %s',
    (verdict) => {
      const frames = blocksOf(pcapngPacket({ ...packet, verdict }, { epochNs: 0n })).map(frameOf);
      expect(frames.map(({ comment }) => comment)).toEqual([
        `VIP 10.200.1.1:80/tcp | ring: 10.0.0.11 | ${verdict}`,
      ]);
    },
  );

  it("is its owner's, and stops growing", () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-pcapng-'));
    const path = join(folder, 'trace.pcapng');
    try {
      const size = pcapngPacket(packet).length;
      const file = new PcapngFile(path, { maxBytes: pcapngHeader().length + 2 * size });
      expect([file.add(packet), file.add(packet), file.add(packet)]).toEqual([true, true, false]);
      file.close();
      file.close();
      expect(file.add(packet)).toBe(false);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const blocks = blocksOf(readFileSync(path));
      expect(blocks.map(({ type }) => type)).toEqual([0x0a0d0d0a, 1, 6, 6, 6, 6]);
      // The time of day, to the minute.
      const now = BigInt(Date.now()) * 1_000_000n;
      const bytes = frameOf(blocks[2]!).timeNs - 1_000n;
      const boot = process.hrtime.bigint();
      const difference = now - boot - bytes;
      expect(difference < 60_000_000_000n && difference > -60_000_000_000n).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
