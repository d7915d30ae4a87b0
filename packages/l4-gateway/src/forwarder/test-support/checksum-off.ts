/** Makes the kernel fill in checksums before it hands frames to an interface: `ethtool -K DEVICE tx off`. */
import * as koffi from 'koffi';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_STXCSUM = 0x17;

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)');

const value = Buffer.from(new ArrayBuffer(8));
value.writeUInt32LE(ETHTOOL_STXCSUM, 0);
const request = Buffer.from(new ArrayBuffer(40));
request.write(process.argv[2] as string, 0, 15);
request.writeBigUInt64LE(koffi.address(value) as bigint, 16);
if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCETHTOOL, request) !== 0) {
  throw new Error(`SIOCETHTOOL: errno ${koffi.errno()}`);
}
