/** Full NAT: packet in, packet out, byte for byte, in the real kernel, both ways. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder, ForwarderOptions, Real, Vip } from '../index.ts';
import { icmpError, onEthernet } from './test-support/icmp-frames.ts';
import {
  bytes,
  CLIENTS,
  connect as connectTo,
  countedBy,
  FAMILIES,
  fromClient,
  fromReal,
  openNat,
  portsAt,
  PROTOCOLS,
  REALS,
  ROUTERS,
  SOURCES,
  sourcePortIn,
  toClient,
  toReal,
  VIPS,
} from './test-support/nat-frames.ts';
import { send, stayOnOneCpu } from './test-support/opened.ts';
import { tagged } from './test-support/outer-frames.ts';
import { frame, type FrameOptions } from './test-support/packets.ts';

const isMissing = requireComponent('bpf').path === undefined;

describe.skipIf(isMissing)('full NAT', () => {
  let forwarder: Forwarder;
  /** Of what the table cases have in common: opening one takes a while. */
  const shared = new Map<number | undefined, Forwarder>();
  beforeAll(stayOnOneCpu);
  afterEach(() => {
    if (![...shared.values()].includes(forwarder)) forwarder.close();
  });
  afterAll(() => {
    for (const one of shared.values()) one.close();
  });
  function openShared(port?: number): void {
    const known = shared.get(port);
    if (known === undefined) open(port === undefined ? {} : { port });
    else forwarder = known;
    shared.set(port, forwarder);
  }

  function open(real: Partial<Real> = {}, options: Partial<ForwarderOptions> = {}): void {
    forwarder = openNat(real, options);
  }
  const counted = (act: () => void) => countedBy(forwarder, act);
  const connect = (options: FrameOptions) => connectTo(forwarder, options);

  const shapes: [string, Partial<FrameOptions>][] = [
    ['nothing', {}],
    ['payload', { payload: bytes(200) }],
    ['an odd length', { payload: bytes(33) }],
    ['a traffic class', { trafficClass: 0xb9 }],
    ['padding', { padding: 6 }],
    ['the highest port', { sourcePort: 65_535 }],
  ];
  const cases = FAMILIES.flatMap((family) =>
    PROTOCOLS.flatMap((protocol) =>
      [undefined, 8_080].flatMap((port) =>
        shapes.map(([what, shape]) => ({ family, protocol, port, what, shape })),
      ),
    ),
  );

  it.each(cases)('IPv$family $protocol to port $port with $what', (one) => {
    const { family, protocol, port = 80, shape } = one;
    openShared(one.port);
    const { padding = 0, ...inner } = shape;
    const outgoing = fromClient(family, { protocol, ...inner });
    const input = Buffer.concat([frame(outgoing), Buffer.alloc(padding)]);
    const seen: number[] = [];
    // The first packet, then others of the connection, which is known then.
    for (const tcpFlags of [2, 0x10, 0x18]) {
      const next = Buffer.concat([frame({ ...outgoing, tcpFlags }), Buffer.alloc(padding)]);
      const { verdict, data } = send(forwarder, tcpFlags === 2 ? input : next);
      const sourcePort = sourcePortIn(data);
      seen.push(sourcePort);
      const expected = toReal({
        ...{ ...outgoing, tcpFlags, sourcePort, destinationPort: port },
        ...{ source: SOURCES[family], destination: REALS[family] },
      });
      expect({ verdict, data: data.toString('hex') }).toEqual({
        verdict: 'tx',
        data: Buffer.concat([expected, Buffer.alloc(padding)]).toString('hex'),
      });
    }
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toBeGreaterThanOrEqual(1_024);
    const answer = { ...inner, protocol, tcpFlags: 0x12, sourcePort: port };
    const back = fromReal({
      ...{ ...answer, source: REALS[family], destination: SOURCES[family] },
      destinationPort: seen[0]!,
    });
    const returned = send(forwarder, Buffer.concat([back, Buffer.alloc(padding)]));
    const expected = toClient({
      ...{ ...answer, source: VIPS[family], destination: CLIENTS[family], sourcePort: 80 },
      destinationPort: outgoing.sourcePort ?? 40_000,
    });
    expect({ verdict: returned.verdict, data: returned.data.toString('hex') }).toEqual({
      verdict: 'tx',
      data: Buffer.concat([expected, Buffer.alloc(padding)]).toString('hex'),
    });
  });

  it.each(FAMILIES)('keeps a VLAN tag: IPv%i', (family) => {
    open();
    const { data } = send(forwarder, tagged(frame(fromClient(family))));
    const untagged = Buffer.concat([data.subarray(0, 12), data.subarray(16)]);
    expect(data.subarray(12, 16).toString('hex')).toBe('81002064');
    expect(untagged.readUInt16BE(12)).toBe(family === 4 ? 0x0800 : 0x86dd);
    const reply = fromReal({
      ...{ source: REALS[family], destination: SOURCES[family], tcpFlags: 0x12 },
      ...{ sourcePort: 80, destinationPort: sourcePortIn(untagged) },
    });
    const back = send(forwarder, tagged(reply));
    const expected = toClient({
      ...{ source: VIPS[family], destination: CLIENTS[family], tcpFlags: 0x12 },
      ...{ sourcePort: 80, destinationPort: 40_000 },
    });
    expect(back).toEqual({ verdict: 'tx', data: tagged(expected) });
  });

  it('gives no checksum to UDP that has none', () => {
    openShared();
    const input = frame(fromClient(4, { protocol: 'udp' }));
    input.writeUInt16BE(0, 40);
    const { data } = send(forwarder, input);
    expect(data.readUInt16BE(40)).toBe(0);
  });

  it('keeps IPv4 options where the VIP carries them', () => {
    open();
    const vip: Vip = { address: VIPS[4], port: 80, protocol: 'tcp' };
    forwarder.configureVip(vip, { forward: 'nat', options: 'forward' });
    const options = Uint8Array.of(1, 1, 1, 1);
    const { data } = send(forwarder, frame(fromClient(4, { options })));
    const sourcePort = data.readUInt16BE(38);
    const ends = { source: SOURCES[4], destination: REALS[4], sourcePort };
    expect(data).toEqual(toReal({ ...ends, tcpFlags: 2, options }));
  });

  it('has right checksums whatever the ends and the payload', () => {
    open({ port: 8_080 });
    const port = fc.integer({ min: 1, max: 65_535 });
    const check = fc.property(
      fc.record({
        source: fc.ipV4(),
        sourcePort: port,
        protocol: fc.constantFrom(...PROTOCOLS),
        payload: fc.uint8Array({ maxLength: 60 }),
        trafficClass: fc.integer({ min: 0, max: 255 }),
      }),
      (options) => {
        const { verdict, data } = send(forwarder, frame(fromClient(4, options)));
        expect(verdict).toBe('tx');
        const sourcePort = sourcePortIn(data);
        const ends = { source: SOURCES[4], destination: REALS[4], destinationPort: 8_080 };
        expect(data).toEqual(toReal({ ...fromClient(4, options), ...ends, sourcePort }));
        const answer = {
          ...{ source: REALS[4], destination: SOURCES[4], sourcePort: 8_080 },
          ...{ destinationPort: sourcePort, protocol: options.protocol, payload: options.payload },
        };
        const client = { source: VIPS[4], destination: options.source, sourcePort: 80 };
        expect(send(forwarder, fromReal(answer)).data).toEqual(
          toClient({ ...answer, ...client, destinationPort: options.sourcePort }),
        );
      },
    );
    fc.assert(check, { seed: 5, numRuns: 400 });
  });

  it.each(FAMILIES)('gives each IPv%i flow a port of its own', (family) => {
    open();
    const ports = new Set<number>();
    for (let sourcePort = 10_000; sourcePort < 10_500; sourcePort += 1) {
      ports.add(connect(fromClient(family, { sourcePort })).port);
    }
    expect(ports.size).toBe(500);
  });

  it.each<[string, Partial<FrameOptions>]>([
    ['another real', { source: '10.0.0.12' }],
    ['another port of the real', { sourcePort: 81 }],
    ['another protocol', { protocol: 'udp' }],
    ['a port that nobody has', { destinationPort: 1_024 }],
  ])('drops an answer from %s', (_what, change) => {
    openShared();
    const { port } = connect(fromClient(4));
    const free = port === 1_024 ? { destinationPort: 1_025 } : change;
    const answer = { source: REALS[4], destination: SOURCES[4], sourcePort: 80 };
    const input = fromReal({ ...answer, destinationPort: port, ...change, ...free });
    expect(counted(() => expect(send(forwarder, input).verdict).toBe('drop'))).toEqual({
      natUnknown: 1,
    });
  });

  it('leaves the rest of its address to the host', () => {
    open({}, { nat: { addresses: [SOURCES[4], SOURCES[6]], ports: [20_000, 29_999] } });
    const { port } = connect(fromClient(4));
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(30_000);
    for (const destinationPort of [19_999, 30_000, 22]) {
      const input = frame({ source: REALS[4], destination: SOURCES[4], destinationPort });
      expect(send(forwarder, input).verdict).toBe('pass');
    }
  });

  it('cannot translate fragments', () => {
    open();
    const fragment = frame(fromClient(4, { fragment: 0x2000 }));
    const answer = frame({ source: REALS[4], destination: SOURCES[4], fragment: 0x2000 });
    for (const input of [fragment, answer]) {
      expect(counted(() => send(forwarder, input))).toEqual({ fragment: 1 });
    }
  });

  it.each(FAMILIES)('resets a connection in its midst that it does not know: IPv%i', (family) => {
    open();
    const input = frame(fromClient(family, { tcpFlags: 0x10 }));
    const counts = counted(() => {
      const { verdict, data } = send(forwarder, input);
      expect(verdict).toBe('tx');
      const flags = data[portsAt(data) + 13]!;
      expect(flags & 0x04).toBe(0x04);
      expect(data.subarray(0, 12)).toEqual(
        Buffer.concat([input.subarray(6, 12), input.subarray(0, 6)]),
      );
    });
    expect(counts).toMatchObject({ natUnknown: 1, resetSent: 1 });
  });

  it('drops what finds no free port, and says so', () => {
    const addresses = [SOURCES[4], SOURCES[6]];
    open({}, { nat: { addresses, ports: [40_000, 40_003] } });
    const ports = new Set(
      [1, 2, 3, 4].map((sourcePort) => connect(fromClient(4, { sourcePort })).port),
    );
    expect([...ports].toSorted()).toEqual([40_000, 40_001, 40_002, 40_003]);
    const fifth = frame(fromClient(4, { sourcePort: 5 }));
    expect(counted(() => expect(send(forwarder, fifth).verdict).toBe('drop'))).toMatchObject({
      natExhausted: 1,
    });
    // The others go on, and so does the other family.
    expect(ports).toContain(connect(fromClient(4, { sourcePort: 3 })).port);
    connect(fromClient(6));
  });

  it.each([
    ['nobody answers', []],
    // A SYN with somebody else's address: the real answers, and nobody goes on.
    ['nobody goes on after the answer', [0x12]],
  ])('gives a port out again soon when %s', async (_what, answers) => {
    const timeouts = { openingMs: 1_000 };
    open({}, { nat: { addresses: Object.values(SOURCES), ports: [40_000, 40_000], timeouts } });
    connect(fromClient(4, { sourcePort: 1 }));
    for (const tcpFlags of answers) {
      const ends = { source: REALS[4], destination: SOURCES[4], sourcePort: 80 };
      const answer = fromReal({ ...ends, destinationPort: 40_000, tcpFlags });
      expect(send(forwarder, answer).verdict).toBe('tx');
    }
    const second = frame(fromClient(4, { sourcePort: 2 }));
    expect(send(forwarder, second).verdict).toBe('drop');
    await vi.waitUntil(() => send(forwarder, second).verdict === 'tx', { timeout: 6_000 });
    // The first one has no connection any more.
    const late = frame(fromClient(4, { sourcePort: 1, tcpFlags: 0x10 }));
    expect(counted(() => send(forwarder, late))).toMatchObject({ natUnknown: 1 });
  });

  it('keeps the port of a connection that is established', async () => {
    const timeouts = { openingMs: 1_000 };
    open({}, { nat: { addresses: Object.values(SOURCES), ports: [40_000, 40_001], timeouts } });
    const { port } = connect(fromClient(4, { sourcePort: 1 }));
    const ends = { source: REALS[4], destination: SOURCES[4], sourcePort: 80 };
    send(forwarder, fromReal({ ...ends, destinationPort: port, tcpFlags: 0x12 }));
    connect(fromClient(4, { sourcePort: 1, tcpFlags: 0x10 }));
    // Another one that nobody answers: when its port is free again, so would be that of the first.
    connect(fromClient(4, { sourcePort: 2 }));
    const third = frame(fromClient(4, { sourcePort: 3 }));
    await vi.waitUntil(() => send(forwarder, third).verdict === 'tx', { timeout: 6_000 });
    expect(connect(fromClient(4, { sourcePort: 1, tcpFlags: 0x10 })).port).toBe(port);
  });

  it('begins anew when a client takes its port again after a close', () => {
    open();
    const first = connect(fromClient(4)).port;
    const answer = { source: REALS[4], destination: SOURCES[4], sourcePort: 80 };
    // A SYN that is sent again belongs to the same connection.
    expect(connect(fromClient(4)).port).toBe(first);
    send(forwarder, frame(fromClient(4, { tcpFlags: 0x11 })));
    send(forwarder, fromReal({ ...answer, destinationPort: first, tcpFlags: 0x11 }));
    // Both FINs are acknowledged on the old port.
    expect(connect(fromClient(4, { tcpFlags: 0x10 })).port).toBe(first);
    expect(connect(fromClient(4)).port).not.toBe(first);
  });

  it('ends the connections of a real that leaves, and opens new ones to the others', () => {
    open();
    const vip: Vip = { address: VIPS[4], port: 80, protocol: 'tcp' };
    const { port } = connect(fromClient(4));
    forwarder.updateReals(vip, [{ address: '10.0.0.99' }]);
    const answer = { source: REALS[4], destination: SOURCES[4], sourcePort: 80 };
    const late = fromReal({ ...answer, destinationPort: port });
    expect(counted(() => expect(send(forwarder, late).verdict).toBe('drop'))).toEqual({
      natUnknown: 1,
    });
    const next = frame(fromClient(4, { tcpFlags: 0x10 }));
    expect(counted(() => send(forwarder, next))).toMatchObject({ natUnknown: 1, resetSent: 1 });
    const { data } = connect(fromClient(4));
    expect([...data.subarray(30, 34)]).toEqual([10, 0, 0, 99]);
  });

  it('keeps the connections of a real that drains', () => {
    open();
    const vip: Vip = { address: VIPS[4], port: 80, protocol: 'tcp' };
    const { port } = connect(fromClient(4));
    forwarder.updateReals(vip, [{ address: REALS[4], weight: 0 }, { address: '10.0.0.99' }]);
    const { data } = connect(fromClient(4, { tcpFlags: 0x10 }));
    expect({ port: sourcePortIn(data), real: [...data.subarray(30, 34)] }).toEqual({
      port,
      real: [10, 0, 0, 11],
    });
  });

  it('never aborts and never leaks, whatever the bytes', () => {
    open();
    const { port } = connect(fromClient(4));
    connect(fromClient(6, { protocol: 'udp' }));
    let state = 3;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const answer = { source: REALS[4], destination: SOURCES[4], sourcePort: 80 };
    const quoted = frame({
      ...answer,
      source: SOURCES[4],
      destination: REALS[4],
      sourcePort: port,
    });
    const error = { source: ROUTERS[4], destination: SOURCES[4], type: 3, code: 1 };
    const seeds = [
      frame(fromClient(4, { payload: bytes(9) })),
      frame(fromClient(6, { protocol: 'udp', payload: bytes(9) })),
      fromReal({ ...answer, destinationPort: port }),
      onEthernet(icmpError({ ...error, quoted: quoted.subarray(14) })),
    ];
    for (let turn = 0; turn < 4_000; turn += 1) {
      const input = Buffer.from(seeds[random(seeds.length)]!);
      for (let change = random(5); change >= 0; change -= 1) {
        input[12 + random(input.length - 12)] = random(256);
      }
      const { verdict, data } = send(forwarder, input);
      expect(['drop', 'pass', 'tx']).toContain(verdict);
      if (verdict !== 'tx') expect(data).toEqual(input);
    }
  });
});
