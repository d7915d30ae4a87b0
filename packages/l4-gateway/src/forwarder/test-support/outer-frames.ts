/** What the gateway makes of a frame in each way of forwarding, put together from what the standards say. */
import { parseAddress } from '../address.ts';
import type { ForwardMode } from '../forward-mode.ts';
import { checksum, ethernet, GATEWAY_MAC, ip4, ip6, ROUTER_MAC } from './packets.ts';

export interface OuterOptions {
  readonly mode: Exclude<ForwardMode, 'nat'>;
  readonly real: string;
  readonly guePort?: number;
  readonly nextHop?: string;
}

const TYPES = { 4: 0x0800, 6: 0x86dd } as const;
const INNER_PROTOCOLS = { 4: 4, 6: 41 } as const;

/** A VLAN tag put into a frame. */
export function tagged(frame: Uint8Array, tag = 0x2064): Buffer {
  const tpid = [0x81, 0x00, tag >> 8, tag & 0xff];
  return Buffer.concat([frame.subarray(0, 12), Uint8Array.from(tpid), frame.subarray(12)]);
}

/** The frame as it leaves; a tag stays in front. */
export function forwarded(frame: Uint8Array, options: OuterOptions): Buffer {
  const { nextHop = ROUTER_MAC } = options;
  const isTagged = frame[12] === 0x81;
  const untagged = isTagged
    ? Buffer.concat([frame.subarray(0, 12), frame.subarray(16)])
    : Buffer.from(frame);
  const packet = untagged.subarray(14);
  const family = (packet[0] as number) >> 4 === 6 ? 6 : 4;
  const outside =
    options.mode === 'l2'
      ? { type: TYPES[family], bytes: packet }
      : wrapped(packet, family, options);
  const result = Buffer.concat([ethernet(outside.type, nextHop, GATEWAY_MAC), outside.bytes]);
  return isTagged ? tagged(result, (frame[14]! << 8) | frame[15]!) : result;
}

function wrapped(packet: Buffer, family: 4 | 6, { mode, real, guePort = 6_080 }: OuterOptions) {
  const bytes = family === 4 ? packet.readUInt16BE(2) : 40 + packet.readUInt16BE(4);
  const trafficClass = family === 4 ? packet[1]! : (packet.readUInt16BE(0) >> 4) & 0xff;
  const body = packet.subarray(0, bytes);
  const spread = spreadOf(packet, family);
  const outerFamily = parseAddress(real, 'real').family;
  const source =
    outerFamily === 4
      ? Uint8Array.from([
          172,
          16,
          (spread ^ (spread >>> 16)) & 0xff,
          ((spread ^ (spread >>> 16)) >> 8) & 0xff,
        ])
      : sourceOf6(spread);
  const { protocol, between } = betweenOf(mode, { family, body, spread, guePort });
  if (mode === 'gue' && outerFamily === 6 && hasChecksum(body, family)) {
    const pseudo = Buffer.alloc(4);
    pseudo[1] = 17;
    pseudo.writeUInt16BE(between.length + body.length, 2);
    const destination = parseAddress(real, 'real').bytes;
    // Over the whole payload, which the program does not read.
    const sum = checksum(source, destination, pseudo, between, body);
    between.writeUInt16BE(sum === 0 ? 0xffff : sum, 6);
  }
  const whole = Buffer.concat([between, body]);
  const label = (spread ^ (spread >>> 12)) & 0xf_ffff;
  const outer =
    outerFamily === 4
      ? ip4({ source, destination: real, protocol, body: whole, trafficClass })
      : ip6({ source, destination: real, next: protocol, body: whole, trafficClass, label });
  return { type: TYPES[outerFamily], bytes: Buffer.concat([outer, packet.subarray(bytes)]) };
}

interface Inside {
  readonly family: 4 | 6;
  readonly body: Uint8Array;
  readonly spread: number;
  readonly guePort: number;
}

function betweenOf(
  mode: OuterOptions['mode'],
  { family, body, spread, guePort }: Inside,
): { protocol: number; between: Buffer } {
  if (mode === 'gre') {
    const type = TYPES[family];
    return { protocol: 47, between: Buffer.from([0, 0, type >> 8, type & 0xff]) };
  }
  if (mode !== 'gue') return { protocol: INNER_PROTOCOLS[family], between: Buffer.alloc(0) };
  const udp = Buffer.alloc(8);
  // 14 bits of the flow above the first dynamic port.
  udp.writeUInt16BE(0xc000 | ((spread ^ (spread >>> 14) ^ (spread >>> 28)) & 0x3fff), 0);
  udp.writeUInt16BE(guePort, 2);
  udp.writeUInt16BE(8 + body.length, 4);
  return { protocol: 17, between: udp };
}

/** Only then can the outer checksum be had from headers. */
function hasChecksum(body: Buffer, family: 4 | 6): boolean {
  const isFragment = family === 4 && (body.readUInt16BE(6) & 0x3fff) !== 0;
  const hasOptions = family === 4 && body[0] !== 0x45;
  const protocol = family === 4 ? body[9] : body[6];
  const header = family === 4 ? 20 : 40;
  if (isFragment || hasOptions) return false;
  return protocol === 6 || (protocol === 17 && body.readUInt16BE(header + 6) !== 0);
}

function sourceOf6(spread: number): Buffer {
  const source = Buffer.alloc(16);
  source[0] = 1;
  source.writeUInt32LE(spread, 12);
  return source;
}

/** Words of the source and the ports, exclusive-or. */
function spreadOf(packet: Uint8Array, family: 4 | 6): number {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const words = family === 4 ? [12, 20] : [8, 12, 16, 20, 40];
  return words.reduce((sum, at) => sum ^ view.getUint32(at, true), 0) >>> 0;
}
