/** ICMP errors about connections of full NAT, byte for byte, in the real kernel: RFC 5508. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder } from '../index.ts';
import { icmpError, onEthernet } from './test-support/icmp-frames.ts';
import {
  bytes,
  CLIENTS,
  connect,
  countedBy,
  FAMILIES,
  type Family,
  fromClient,
  fromReal,
  openNat,
  PROTOCOLS,
  REALS,
  ROUTERS,
  SOURCES,
  VIPS,
} from './test-support/nat-frames.ts';
import { send, stayOnOneCpu } from './test-support/opened.ts';
import { CLIENT_MAC, frame, GATEWAY_MAC, ROUTER_MAC } from './test-support/packets.ts';

const isMissing = requireComponent('bpf').path === undefined;

describe.skipIf(isMissing)('an ICMP error', () => {
  let forwarder: Forwarder;
  beforeAll(() => {
    stayOnOneCpu();
    forwarder = openNat({ port: 8_080 });
  });
  afterAll(() => forwarder.close());

  const errors = FAMILIES.flatMap((family) =>
    PROTOCOLS.flatMap((protocol) =>
      (['short', 'whole'] as const).flatMap((quote) =>
        (['router', 'real'] as const).map((from) => ({ family, protocol, quote, from })),
      ),
    ),
  );
  /** Unreachable, with as much of the packet as RFC 792 asks for, or all of it. */
  const unreachable = (family: Family, quote: 'short' | 'whole', packet: Uint8Array) => ({
    ...{ type: family === 4 ? 3 : 1, code: 1 },
    quoted: quote === 'whole' ? packet : packet.subarray(0, family === 4 ? 28 : 48),
  });

  it.each(errors)(
    'translates an error on the way to the real: $family $protocol $quote $from',
    (one) => {
      const { family, protocol, quote, from } = one;
      const input = frame(fromClient(family, { protocol, payload: bytes(24) }));
      const { data } = send(forwarder, input);
      const source = from === 'real' ? REALS[family] : ROUTERS[family];
      const error = icmpError({
        ...{ source, destination: SOURCES[family] },
        ...unreachable(family, quote, data.subarray(14)),
      });
      const back = send(forwarder, onEthernet(error, GATEWAY_MAC, ROUTER_MAC));
      const expected = icmpError({
        // Whoever found it: the router that carries it on may be the one, and drops what claims to be its own.
        source: VIPS[family],
        destination: CLIENTS[family],
        ...unreachable(family, quote, input.subarray(14)),
      });
      expect({ verdict: back.verdict, data: back.data.toString('hex') }).toEqual({
        verdict: 'tx',
        data: onEthernet(expected, CLIENT_MAC, GATEWAY_MAC).toString('hex'),
      });
    },
  );

  it.each(errors.filter(({ from }) => from === 'router'))(
    'translates an error on the way to the client: $family $protocol $quote',
    ({ family, protocol, quote }) => {
      const { port } = connect(forwarder, fromClient(family, { protocol }));
      const answer = fromReal({
        ...{ source: REALS[family], destination: SOURCES[family], protocol, tcpFlags: 0x12 },
        ...{ sourcePort: 8_080, destinationPort: port, payload: bytes(24) },
      });
      const { data } = send(forwarder, answer);
      const ends = { source: ROUTERS[family], destination: VIPS[family] };
      const error = icmpError({ ...ends, ...unreachable(family, quote, data.subarray(14)) });
      const out = send(forwarder, onEthernet(error));
      const expected = icmpError({
        ...{ source: SOURCES[family], destination: REALS[family] },
        ...unreachable(family, quote, answer.subarray(14)),
      });
      expect({ verdict: out.verdict, data: out.data.toString('hex') }).toEqual({
        verdict: 'tx',
        data: onEthernet(expected, ROUTER_MAC, GATEWAY_MAC).toString('hex'),
      });
    },
  );

  it('passes the MTU of a router on to the client', () => {
    const input = frame(fromClient(4, { payload: bytes(100) }));
    const { data } = send(forwarder, input);
    const tooBig = { type: 3, code: 4, rest: 1_280 };
    const ends = { source: ROUTERS[4], destination: SOURCES[4] };
    const error = icmpError({ ...ends, ...tooBig, quoted: data.subarray(14) });
    const expected = icmpError({
      ...{ source: VIPS[4], destination: CLIENTS[4] },
      ...{ ...tooBig, quoted: input.subarray(14) },
    });
    expect(send(forwarder, onEthernet(error)).data).toEqual(
      onEthernet(expected, CLIENT_MAC, GATEWAY_MAC),
    );
  });

  it('drops errors about nothing that it knows', () => {
    const quoted = frame({ source: SOURCES[4], destination: REALS[4], sourcePort: 5_000 });
    const ends = { source: ROUTERS[4], destination: SOURCES[4] };
    const error = icmpError({ ...ends, type: 3, code: 1, quoted: quoted.subarray(14) });
    expect(countedBy(forwarder, () => send(forwarder, onEthernet(error)))).toEqual({
      natUnknown: 1,
    });
    const toVip = frame({ source: VIPS[4], destination: CLIENTS[4], sourcePort: 80 });
    const about = { source: ROUTERS[4], destination: VIPS[4], quoted: toVip.subarray(14) };
    const other = onEthernet(icmpError({ ...about, type: 3, code: 1 }));
    expect(countedBy(forwarder, () => send(forwarder, other))).toEqual({ icmpDropped: 1 });
  });
});
