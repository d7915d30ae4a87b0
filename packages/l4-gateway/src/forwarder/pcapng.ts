/** Traced packets as a capture file that Wireshark and tshark read: pcapng (draft-ietf-opsawg-pcapng). */
import { closeSync, openSync, writeSync } from 'node:fs';
import { epochNs as epochNow } from '../runtime/epoch.ts';
import type { TracedFrame, TracedPacket } from './trace.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;

const OPTION_END = 0;
const OPTION_COMMENT = 1;
const OPTION_INTERFACE_NAME = 2;
const OPTION_TIMESTAMP_RESOLUTION = 9;
const OPTION_FLAGS = 2;
const OPTION_PACKET_ID = 5;
const INBOUND = 1;
const OUTBOUND = 2;

export interface PcapngOptions {
  /** What the monotonic clock has to be added to for the time of day, in ns. Default: what it is now. */
  readonly epochNs?: bigint;
}

/** The blocks at the beginning of a file. */
export function pcapngHeader(): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const link = Buffer.alloc(8);
  link.writeUInt16LE(LINKTYPE_ETHERNET, 0);
  const options = [
    option(OPTION_INTERFACE_NAME, Buffer.from('gateway')),
    // Timestamps count nanoseconds.
    option(OPTION_TIMESTAMP_RESOLUTION, Buffer.from([9])),
    option(OPTION_END, Buffer.alloc(0)),
  ];
  return Buffer.concat([
    block(SECTION_HEADER, section),
    block(INTERFACE_DESCRIPTION, Buffer.concat([link, ...options])),
  ]);
}

/** A packet as it came, with what happened as its comment, and as it left if it was sent. */
export function pcapngPacket(
  packet: TracedPacket,
  { epochNs = epochNow() }: PcapngOptions = {},
): Buffer {
  const { received, left, verdict, steps, id } = packet;
  const comment = [...steps, verdict].join(' | ');
  const blocks = [frameBlock(received, { direction: INBOUND, epochNs, id, comment })];
  if (verdict === 'tx' || verdict === 'redirect') {
    blocks.push(frameBlock(left, { direction: OUTBOUND, epochNs, id, comment: undefined }));
  }
  return Buffer.concat(blocks);
}

/** A capture file. Stops growing at a limit, so that a forgotten trace does not fill the disk. */
export class PcapngFile {
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #epochNs = epochNow();
  #bytes = 0;
  #isOpen = true;

  /**
   * Makes the file, readable by its owner alone: it contains what users send.
   *
   * @param maxBytes default 100 000 000
   */
  constructor(path: string, { maxBytes = 100_000_000 }: { readonly maxBytes?: number } = {}) {
    this.#fd = openSync(path, 'w', 0o600);
    this.#maxBytes = maxBytes;
    this.#write(pcapngHeader());
  }

  /** @returns whether it was written: not any more once the file is full */
  add(packet: TracedPacket): boolean {
    return this.#isOpen && this.#write(pcapngPacket(packet, { epochNs: this.#epochNs }));
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }

  #write(bytes: Buffer): boolean {
    if (this.#bytes + bytes.length > this.#maxBytes) return false;
    this.#bytes += bytes.length;
    writeSync(this.#fd, bytes);
    return true;
  }
}

interface FrameDetails {
  readonly direction: number;
  readonly epochNs: bigint;
  readonly id: number;
  readonly comment: string | undefined;
}

function frameBlock({ timeNs, bytes, length }: TracedFrame, details: FrameDetails): Buffer {
  const time = timeNs + details.epochNs;
  const header = Buffer.alloc(20);
  header.writeUInt32LE(Number(time >> 32n), 4);
  header.writeUInt32LE(Number(time & 0xffff_ffffn), 8);
  header.writeUInt32LE(bytes.length, 12);
  header.writeUInt32LE(length, 16);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(details.direction);
  const id = Buffer.alloc(8);
  id.writeUInt32LE(details.id);
  const { comment } = details;
  return block(
    ENHANCED_PACKET,
    Buffer.concat([
      header,
      padded(bytes),
      ...(comment === undefined ? [] : [option(OPTION_COMMENT, Buffer.from(comment))]),
      option(OPTION_FLAGS, flags),
      option(OPTION_PACKET_ID, id),
      option(OPTION_END, Buffer.alloc(0)),
    ]),
  );
}

/** Type and length in front, the length again behind. */
function block(type: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + body.length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.set(body, 8);
  bytes.writeUInt32LE(bytes.length, bytes.length - 4);
  return bytes;
}

function option(code: number, value: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(code, 0);
  header.writeUInt16LE(value.length, 2);
  return Buffer.concat([header, padded(value)]);
}

/** To 32 bits. */
function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
