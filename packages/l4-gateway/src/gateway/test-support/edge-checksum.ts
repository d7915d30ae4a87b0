/** Leaves checksums of frames to an interface, as `ethtool -K DEVICE tx on` does: `edge-checksum.ts DEVICE on|off`. */
import * as koffi from 'koffi';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_STXCSUM = 0x17;

const [name, state] = process.argv.slice(2) as [string, string];
const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
const value = Buffer.from(new ArrayBuffer(8));
value.writeUInt32LE(ETHTOOL_STXCSUM, 0);
value.writeUInt32LE(state === 'on' ? 1 : 0, 4);
const request = Buffer.from(new ArrayBuffer(40));
request.write(name, 0, 15);
request.writeBigUInt64LE(koffi.address(value) as bigint, 16);
if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCETHTOOL, request) !== 0) {
  throw new Error(`SIOCETHTOOL: errno ${koffi.errno()}`);
}
