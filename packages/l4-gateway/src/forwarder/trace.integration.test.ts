/** What the tracer says about packets, in the real kernel. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder, TracedPacket, TraceFilter, Vip } from '../index.ts';
import { openForTest, send, stayOnOneCpu } from './test-support/opened.ts';
import { frame, type FrameOptions } from './test-support/packets.ts';

const isMissing = requireComponent('bpf').path === undefined;
const VIP: Vip = { address: '10.200.1.1', port: 80, protocol: 'tcp' };
const FROM = { source: '198.51.100.7', destination: VIP.address } as const;
const NAT = '10.201.1.1';

describe.skipIf(isMissing)('the tracer', () => {
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());

  /** NAT's part of the program takes a while to check. */
  function open({ nat = false } = {}): void {
    forwarder = openForTest(nat ? { nat: { addresses: [NAT], ports: [5_000, 5_999] } } : {});
    forwarder.addVip(VIP, [{ address: '10.0.0.11' }]);
    if (nat) forwarder.addVip({ ...VIP, port: 81 }, [{ address: '10.0.0.12', forward: 'nat' }]);
    forwarder.addVip({ ...VIP, port: 82 }, []);
    forwarder.addVip(
      { address: 'fc00:1::1', port: 80, protocol: 'tcp' },
      [{ address: 'fc00:2::b' }],
      {
        forward: 'gue',
      },
    );
  }
  /** Sends packets while a trace is on, and tells what it said. */
  function traced(filter: TraceFilter, ...inputs: Uint8Array[]): TracedPacket[] {
    const packets: TracedPacket[] = [];
    const trace = forwarder.trace(filter, (packet) => packets.push(packet));
    for (const input of inputs) send(forwarder, input);
    trace.close();
    expect(trace.lost).toBe(0n);
    return packets;
  }

  it('tells how a packet came, what happened, and how it left', () => {
    open();
    const input = frame({ ...FROM, payload: Buffer.alloc(300) });
    const before = process.hrtime.bigint();
    const packets = traced({}, input, input);
    const after = process.hrtime.bigint();
    expect(packets.map(({ steps }) => steps)).toEqual([
      ['VIP 10.200.1.1:80/tcp', 'ring: 10.0.0.11', 'to 10.0.0.11 by ipip'],
      ['VIP 10.200.1.1:80/tcp', 'flow cache: 10.0.0.11', 'to 10.0.0.11 by ipip'],
    ]);
    const [first, second] = packets as [TracedPacket, TracedPacket];
    expect(first.verdict).toBe('tx');
    expect(first.id).not.toBe(second.id);
    expect(first.received.length).toBe(input.length);
    expect(Buffer.from(first.received.bytes)).toEqual(input.subarray(0, 256));
    expect(first.left.length).toBe(input.length + 20);
    // As the program sends it: the outer header in front.
    expect(Buffer.from(first.left.bytes.subarray(34, 254)).toString('hex')).toBe(
      input.subarray(14, 234).toString('hex'),
    );
    expect(first.received.timeNs).toBeGreaterThan(before);
    expect(second.left.timeNs).toBeLessThan(after);
  });

  it.each<[string, Buffer, TracedPacket['verdict'], string[]]>([
    ['no VIP', frame({ ...FROM, destinationPort: 9 }), 'pass', ['no VIP']],
    [
      'no real',
      frame({ ...FROM, destinationPort: 82 }),
      'drop',
      ['VIP 10.200.1.1:82/tcp', 'ring: nobody', 'dropped: noReal'],
    ],
    [
      'IPv6 by GUE',
      frame({ source: '2001:db8::7', destination: 'fc00:1::1' }),
      'tx',
      ['VIP [fc00:1::1]:80/tcp', 'ring: fc00:2::b', 'to fc00:2::b by gue'],
    ],
    [
      'NAT',
      frame({ ...FROM, destinationPort: 81, tcpFlags: 2 }),
      'tx',
      ['VIP 10.200.1.1:81/tcp', 'ring: 10.0.0.12', 'to 10.0.0.12 by nat'],
    ],
    [
      'an answer to nothing',
      frame({ source: '10.0.0.12', destination: NAT, sourcePort: 81, destinationPort: 5_000 }),
      'drop',
      ['no VIP', 'dropped: natUnknown'],
    ],
    [
      'options',
      frame({ ...FROM, options: Uint8Array.of(1, 1, 1, 1) }),
      'drop',
      ['VIP 10.200.1.1:80/tcp', 'dropped: options'],
    ],
    ['a fragment', frame({ ...FROM, fragment: 0x2000 }), 'drop', ['no VIP', 'dropped: fragment']],
    ['a cut header', frame(FROM).subarray(0, 30), 'drop', ['dropped: truncated']],
  ])('says what became of it: %s', (_what, input, verdict, steps) => {
    open({ nat: true });
    const [packet, ...others] = traced({}, input);
    expect(others).toEqual([]);
    expect({ verdict: packet?.verdict, steps: packet?.steps }).toEqual({ verdict, steps });
  });

  it('follows a connection of NAT back to its client', () => {
    open({ nat: true });
    const syn = frame({ ...FROM, destinationPort: 81, tcpFlags: 2 });
    const port = send(forwarder, syn).data.readUInt16BE(34);
    const answer = { source: '10.0.0.12', destination: NAT, sourcePort: 81, tcpFlags: 0x12 };
    const [packet] = traced({}, frame({ ...answer, destinationPort: port }));
    expect(packet?.steps).toEqual(['no VIP', 'answer of 10.0.0.12']);
    expect(Buffer.from(packet!.left.bytes.subarray(30, 34))).toEqual(
      Buffer.from([198, 51, 100, 7]),
    );
  });

  it.each<[string, TraceFilter, Partial<FrameOptions>]>([
    ['source', { source: '198.51.100.0/29' }, { source: '198.51.100.8' }],
    ['destination', { destination: VIP.address }, { destination: '10.200.1.2' }],
    ['source port', { sourcePort: 40_000 }, { sourcePort: 40_001 }],
    ['destination port', { destinationPort: 80 }, { destinationPort: 81 }],
    ['protocol', { protocol: 'tcp' }, { protocol: 'udp' }],
    [
      'all of them',
      {
        ...{ source: FROM.source, destination: VIP.address, protocol: 'tcp' },
        ...{ sourcePort: 40_000, destinationPort: 80 },
      },
      { sourcePort: 1 },
    ],
  ])('picks packets by %s', (_what, filter, other) => {
    open();
    const packets = traced(filter, frame({ ...FROM, ...other }), frame(FROM));
    expect(packets).toHaveLength(1);
    expect(Buffer.from(packets[0]!.received.bytes)).toEqual(frame(FROM));
  });

  it('tells the families apart', () => {
    open();
    const six = frame({ source: '2001:db8::7', destination: 'fc00:1::1' });
    expect(traced({ source: '0.0.0.0/0' }, six, frame(FROM))).toHaveLength(1);
    expect(traced({ source: '::/0' }, six, frame(FROM))).toHaveLength(1);
    expect(traced({ source: '2001:db8::/33' }, six, frame(FROM))).toHaveLength(1);
    expect(traced({ source: '2001:db8:8000::/33' }, six, frame(FROM))).toHaveLength(0);
  });

  it('takes one of many', () => {
    open();
    const count = traced(
      { oneIn: 10, perSecond: 10_000 },
      ...Array<Buffer>(1_000).fill(frame(FROM)),
    );
    // Binomial with p = 1/10: 100 give or take five standard deviations of 9.5.
    expect(Math.abs(count.length - 100)).toBeLessThan(48);
  });

  it('takes no more than it may in a second', () => {
    open();
    const packets = traced({ perSecond: 5 }, ...Array<Buffer>(100).fill(frame(FROM)));
    // The second may have turned in between.
    expect(packets.length).toBeGreaterThanOrEqual(5);
    expect(packets.length).toBeLessThanOrEqual(10);
  });

  it('hands packets over by itself', async () => {
    open();
    const packets: TracedPacket[] = [];
    const trace = forwarder.trace({}, (packet) => packets.push(packet));
    send(forwarder, frame(FROM));
    await vi.waitUntil(() => packets.length === 1, { timeout: 2_000 });
    trace.close();
  });

  it('is off when it is closed, and can begin again', () => {
    open();
    expect(traced({}, frame(FROM))).toHaveLength(1);
    send(forwarder, frame(FROM));
    expect(traced({}, frame(FROM))).toHaveLength(1);
  });

  it('changes nothing about what is done', () => {
    open();
    const input = frame(FROM);
    const plain = send(forwarder, input);
    const trace = forwarder.trace({}, () => undefined);
    expect(send(forwarder, input)).toEqual(plain);
    trace.close();
    expect(send(forwarder, input)).toEqual(plain);
  });

  it.each<[string, TraceFilter, string]>([
    ['a second one', {}, 'one trace at a time'],
    ['an address', { source: 'x' }, 'source: expected'],
    ['two families', { source: '::/0', destination: '10.0.0.1' }, 'destination: expected'],
    ['a port', { sourcePort: -1 }, 'sourcePort: expected'],
    ['a protocol', { protocol: 'sctp' as 'tcp' }, 'protocol: expected'],
    ['a share', { oneIn: 0 }, 'oneIn: expected'],
    ['a rate', { perSecond: 1e9 }, 'perSecond: expected'],
  ])('is refused: %s', (what, filter, message) => {
    open();
    if (what === 'a second one') forwarder.trace({}, () => undefined);
    expect(() => forwarder.trace(filter, () => undefined)).toThrow(message);
  });
});
