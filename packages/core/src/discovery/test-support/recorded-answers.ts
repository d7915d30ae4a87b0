/**
 * Answers as real servers sent them, in hex, for queries with id 0x1234, RD and an EDNS(0) record of 1232 bytes.
 * To record them again, start the servers with the records below, send the queries over UDP and print what comes back.
 *
 * - Unbound 1.17.1: `local-zone: "svc.test." static` with SOA (TTL 300, minimum 30), a = 127.0.0.1, 127.0.0.2 and ::1,
 *   www = CNAME a, `_http._tcp.web` = SRV 10 40 8081 a and SRV 20 0 8082 b; all other TTLs 20, of the SRV records 15.
 * - dnsmasq 2.90: `--host-record=b1.svc.test,127.0.0.11,::11 --host-record=b2.svc.test,127.0.0.12
 *   --cname=www.svc.test,b1.svc.test --srv-host=_http._tcp.web.svc.test,b1.svc.test,8081,10,60
 *   --srv-host=_http._tcp.web.svc.test,b2.svc.test,8082,20,0 --local=/svc.test/ --local-ttl=7`.
 */
export interface RecordedAnswer {
  readonly server: 'unbound' | 'dnsmasq';
  readonly name: string;
  readonly type: number;
  readonly hex: string;
}

export const RECORDED_ANSWERS: readonly RecordedAnswer[] = [
  {
    server: 'unbound',
    name: 'a.svc.test',
    type: 1,
    hex: '12348580000100020000000101610373766304746573740000010001c00c000100010000001400047f000001c00c000100010000001400047f00000200002904d0000000000000',
  },
  {
    server: 'unbound',
    name: 'a.svc.test',
    type: 28,
    hex: '123485800001000100000001016103737663047465737400001c0001c00c001c00010000001400100000000000000000000000000000000100002904d0000000000000',
  },
  {
    server: 'unbound',
    name: 'www.svc.test',
    type: 1,
    hex: '123485800001000100000001037777770373766304746573740000010001c00c000500010000001400040161c01000002904d0000000000000',
  },
  {
    server: 'unbound',
    name: '_http._tcp.web.svc.test',
    type: 33,
    hex: '123485800001000200000001055f68747470045f746370037765620373766304746573740000210001c00c002100010000000f0012000a00281f91016103737663047465737400c00c002100010000000f0012001400001f9201620373766304746573740000002904d0000000000000',
  },
  {
    server: 'unbound',
    name: 'none.svc.test',
    type: 1,
    hex: '123485830001000000010001046e6f6e650373766304746573740000010001c011000600010000001e0020026e73c01104726f6f74c0110000000100000e1000000258000151800000001e00002904d0000000000000',
  },
  {
    server: 'unbound',
    name: 'a.svc.test',
    type: 33,
    hex: '12348580000100000001000101610373766304746573740000210001c00e000600010000001e0020026e73c00e04726f6f74c00e0000000100000e1000000258000151800000001e00002904d0000000000000',
  },
  {
    server: 'dnsmasq',
    name: 'b1.svc.test',
    type: 1,
    hex: '1234858000010001000000010262310373766304746573740000010001c00c000100010000000700047f00000b00002904d0000000000000',
  },
  {
    server: 'dnsmasq',
    name: 'b1.svc.test',
    type: 28,
    hex: '12348580000100010000000102623103737663047465737400001c0001c00c001c00010000000700100000000000000000000000000000001100002904d0000000000000',
  },
  {
    server: 'dnsmasq',
    name: 'www.svc.test',
    type: 1,
    hex: '123485800001000200000001037777770373766304746573740000010001c00c0005000100000007000d02623103737663047465737400c02a000100010000000700047f00000b00002904d0000000000000',
  },
  {
    server: 'dnsmasq',
    name: '_http._tcp.web.svc.test',
    type: 33,
    hex: '123485800001000200000004055f68747470045f746370037765620373766304746573740000210001c00c00210001000000070013001400001f9202623203737663047465737400c00c00210001000000070013000a003c1f9102623103737663047465737400c05a000100010000000700047f00000bc05a001c000100000007001000000000000000000000000000000011c03b000100010000000700047f00000c00002904d0000000000000',
  },
  {
    server: 'dnsmasq',
    name: 'none.svc.test',
    type: 1,
    hex: '123481830001000000000001046e6f6e65037376630474657374000001000100002904d0000000000000',
  },
  {
    server: 'dnsmasq',
    name: 'b2.svc.test',
    type: 28,
    hex: '12348180000100000000000102623203737663047465737400001c000100002904d0000000000000',
  },
];

/** The bytes of one recorded answer. */
export function recordedAnswer(
  server: 'unbound' | 'dnsmasq',
  name: string,
  type: number,
): Uint8Array {
  const found = RECORDED_ANSWERS.find(
    (answer) => answer.server === server && answer.name === name && answer.type === type,
  );
  if (found === undefined) throw new Error(`nothing recorded for ${server} ${name} ${type}`);
  return Buffer.from(found.hex, 'hex');
}
