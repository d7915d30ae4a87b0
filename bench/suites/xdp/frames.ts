/** The smallest TCP frames for the VIPs of the suite. */

export interface Subject {
  readonly vip: string;
  readonly frame: Buffer;
  readonly isIp6: boolean;
  /** Whether the program changes the headers in place, so that they have to be put back. */
  readonly isChanged?: boolean;
}

const PORT = 80;
const ACK = 0x10;
const SYN = 0x02;

function transport(port = PORT, flags = ACK): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(31_337, 0);
  tcp.writeUInt16BE(port, 2);
  tcp[12] = 0x50;
  tcp[13] = flags;
  return tcp;
}

const ethernet = (type: number): Buffer => {
  const header = Buffer.alloc(14);
  header[0] = 2;
  header[6] = 2;
  header.writeUInt16BE(type, 12);
  return header;
};

/** Every packet asks for a connection. */
export function synSubject(): Subject {
  return ip4Subject({ flags: SYN });
}

export function ip4Subject({ port = PORT, flags = ACK } = {}): Subject {
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(40, 2);
  ip[8] = 64;
  ip[9] = 6;
  ip.set([192, 168, 1, 1, 10, 200, 1, 1], 12);
  // Six bytes of padding: a frame has 60 at least.
  const frame = Buffer.concat([ethernet(0x0800), ip, transport(port, flags), Buffer.alloc(6)]);
  return { vip: '10.200.1.1', frame, isIp6: false };
}

export function ip6Subject(): Subject {
  const ip = Buffer.alloc(40);
  ip[0] = 0x60;
  ip.writeUInt16BE(20, 4);
  ip[6] = 6;
  ip[7] = 64;
  ip.set([0xfc, 0, 0, 2], 8);
  ip.set([0xfc, 0, 0, 1], 24);
  ip[23] = 1;
  ip[39] = 1;
  return {
    vip: 'fc00:1::1',
    frame: Buffer.concat([ethernet(0x86dd), ip, transport()]),
    isIp6: true,
  };
}
