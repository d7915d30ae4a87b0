/** Which real a flow gets: the program against TypeScript, and what changes of the reals move. */
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Flow, Forwarder, Protocol, Real } from '../index.ts';
import { parseAddress } from './address.ts';
import { openForTest, realIn, send, stayOnOneCpu } from './test-support/opened.ts';
import { frame, ROUTER_MAC } from './test-support/packets.ts';

const { path } = requireComponent('bpf');
interface Vip {
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
}

const VIP4: Vip = { address: '10.200.1.1', port: 80, protocol: 'tcp' };
const VIP6: Vip = { address: 'fc00:1::1', port: 53, protocol: 'udp' };
const reals = (count: number, prefix = '10.0.0.'): Real[] =>
  Array.from({ length: count }, (_, index) => ({ address: `${prefix}${index + 1}` }));

const hexOf = (address: string | undefined): string | undefined => {
  if (address === undefined) return undefined;
  const { bytes, family } = parseAddress(address, 'address');
  return Buffer.from(bytes.subarray(0, family === 4 ? 4 : 16)).toString('hex');
};

/** Where the program sends the next packet of a flow. */
function realFor(forwarder: Forwarder, flow: Flow): string {
  const { verdict, data } = send(forwarder, frame(flow));
  expect(verdict).toBe('tx');
  return realIn(data);
}

const flowTo = (vip: Vip, index: number): Flow => ({
  source:
    vip.address === VIP4.address
      ? `198.51.${index >> 8}.${index & 255}`
      : `2001:db8::${index.toString(16)}`,
  sourcePort: 1_024 + ((index * 7_919) % 60_000),
  destination: vip.address,
  destinationPort: vip.port,
  protocol: vip.protocol,
});

describe.skipIf(path === undefined)('the choice of a real', () => {
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  const open = (...options: Parameters<typeof openForTest>): Forwarder => {
    forwarder = openForTest(...options);
    return forwarder;
  };
  afterEach(() => forwarder.close());

  const port = fc.integer({ min: 1, max: 65_535 });
  const flows = fc.oneof(
    fc.record({ source: fc.ipV4(), sourcePort: port }).map((from) => ({ ...from, vip: VIP4 })),
    fc
      .record({ source: fc.uint8Array({ minLength: 16, maxLength: 16 }), sourcePort: port })
      .map(({ source, sourcePort }) => ({ source: colons(source), sourcePort, vip: VIP6 })),
  );

  it.each([0n, 0x0123_4567_89ab_cdefn])(
    'is the one TypeScript computes, with seed %s',
    (ringSeed) => {
      open({ ringSeed });
      forwarder.addVip(VIP4, [...reals(9), { address: 'fc00:2::1', weight: 3 }]);
      forwarder.addVip(VIP6, reals(13, 'fc00:3::'));
      const same = fc.property(flows, ({ source, sourcePort, vip }) => {
        const { address: destination, port: destinationPort, protocol } = vip;
        const flow: Flow = { source, sourcePort, destination, destinationPort, protocol };
        const expected = hexOf(forwarder.realOf(flow));
        expect(expected).toBeDefined();
        // By the ring and by the cache.
        expect([realFor(forwarder, flow), realFor(forwarder, flow)]).toEqual([expected, expected]);
      });
      fc.assert(same, { seed: 11, numRuns: 400 });
    },
  );

  it('follows the weights', () => {
    open();
    forwarder.addVip(VIP4, [
      { address: '10.0.0.1', weight: 1 },
      { address: '10.0.0.2', weight: 3 },
    ]);
    let heavy = 0;
    for (let index = 0; index < 2_000; index += 1) {
      if (realFor(forwarder, flowTo(VIP4, index)) === hexOf('10.0.0.2')) heavy += 1;
    }
    // Binomial with p = 3/4: 1500 give or take five standard deviations of 19.4.
    expect(Math.abs(heavy - 1_500)).toBeLessThan(97);
  });

  it.each([
    ['IPv4', VIP4, '10.0.0.'],
    ['IPv6', VIP6, 'fc00:3::'],
  ])('moves only the flows of a real that leaves: %s', (_what, vip, prefix) => {
    open({ flowsPerCpu: 65_536 });
    const all = reals(10, prefix);
    const gone = all[3]!;
    forwarder.addVip(vip, all);
    const indexes = Array.from({ length: 1_000 }, (_, index) => index);
    const before = indexes.map((index) => realFor(forwarder, flowTo(vip, index)));
    expect(
      forwarder.updateReals(
        vip,
        all.filter((real) => real !== gone),
      ),
    ).toBe(true);
    const after = indexes.map((index) => realFor(forwarder, flowTo(vip, index)));
    for (const index of indexes) {
      if (before[index] !== hexOf(gone.address)) expect(after[index]).toBe(before[index]);
      else {
        expect(after[index]).toBe(hexOf(forwarder.realOf(flowTo(vip, index))));
        expect(after[index]).not.toBe(before[index]);
      }
    }
    expect(before.filter((real) => real === hexOf(gone.address)).length).toBeGreaterThan(50);
  });

  it('keeps remembered flows when reals come, and gives new flows to them', () => {
    open({ flowsPerCpu: 65_536 });
    forwarder.addVip(VIP4, reals(3));
    const before = Array.from({ length: 500 }, (_, index) =>
      realFor(forwarder, flowTo(VIP4, index)),
    );
    forwarder.updateReals(VIP4, reals(6));
    const after = Array.from({ length: 500 }, (_, index) =>
      realFor(forwarder, flowTo(VIP4, index)),
    );
    expect(after).toEqual(before);
    const fresh = new Set(
      Array.from({ length: 500 }, (_, index) => realFor(forwarder, flowTo(VIP4, 1_000 + index))),
    );
    expect(fresh.size).toBe(6);
  });

  it('drains a real of weight 0: its flows stay, new ones go elsewhere', () => {
    open({ flowsPerCpu: 65_536 });
    forwarder.addVip(VIP4, reals(2));
    const before = Array.from({ length: 200 }, (_, index) =>
      realFor(forwarder, flowTo(VIP4, index)),
    );
    forwarder.updateReals(VIP4, [{ address: '10.0.0.1' }, { address: '10.0.0.2', weight: 0 }]);
    const after = Array.from({ length: 200 }, (_, index) =>
      realFor(forwarder, flowTo(VIP4, index)),
    );
    expect(after).toEqual(before);
    for (let index = 1_000; index < 1_200; index += 1) {
      expect(realFor(forwarder, flowTo(VIP4, index))).toBe(hexOf('10.0.0.1'));
    }
  });

  it('does not fall for a number that is used again', () => {
    open();
    forwarder.addVip(VIP4, reals(1));
    const flow = flowTo(VIP4, 1);
    realFor(forwarder, flow);
    // Every number has been given out and back once: the old one belongs to a new real now.
    for (let turn = 0; turn < 41; turn += 1) {
      forwarder.updateReals(VIP4, reals(100, `10.1.${turn}.`));
    }
    expect(realFor(forwarder, flow)).toBe(hexOf(forwarder.realOf(flow)));
  });

  it('publishes a ring only when it has changed', () => {
    open();
    forwarder.addVip(VIP4, reals(3));
    expect(forwarder.updateReals(VIP4, reals(3).reverse())).toBe(false);
    const others = reals(3).map((real) => ({ ...real, nextHop: '02:00:00:00:00:99' }));
    expect(forwarder.updateReals(VIP4, others)).toBe(false);
    const { data } = send(forwarder, frame(flowTo(VIP4, 1)));
    expect(data.subarray(0, 6).toString('hex')).toBe('020000000099');
    expect(forwarder.updateReals(VIP4, reals(4))).toBe(true);
  });

  it('leaves flows to the host when their VIP is removed, and those of its neighbour alone', () => {
    open();
    const neighbour: Vip = { ...VIP4, port: 81 };
    forwarder.addVip(VIP4, reals(2));
    forwarder.addVip(neighbour, reals(2));
    realFor(forwarder, flowTo(VIP4, 1));
    forwarder.removeVip(VIP4);
    expect(send(forwarder, frame(flowTo(VIP4, 1))).verdict).toBe('pass');
    expect(send(forwarder, frame(flowTo(neighbour, 1))).verdict).toBe('tx');
    // The address is still a VIP's, and no VIP's after the neighbour has gone too.
    const fragment = frame({ ...flowTo(VIP4, 1), fragment: 0x2000 });
    expect(send(forwarder, fragment).verdict).toBe('drop');
    forwarder.removeVip(neighbour);
    expect(send(forwarder, fragment).verdict).toBe('pass');
    expect(forwarder.realOf(flowTo(VIP4, 1))).toBeUndefined();
  });

  it('keeps the totals of reals that have left', () => {
    open();
    forwarder.addVip(VIP4, reals(1));
    send(forwarder, frame(flowTo(VIP4, 1)));
    forwarder.updateReals(VIP4, reals(1, '10.9.0.'));
    send(forwarder, frame(flowTo(VIP4, 1)));
    const [vip] = forwarder.statistics().vips;
    expect(vip).toEqual({
      vip: VIP4,
      packets: 2n,
      bytes: 80n,
      reals: [{ address: '10.9.0.1', weight: 1, packets: 1n, bytes: 40n }],
    });
  });

  it.each<[string, (open: Forwarder) => unknown, string]>([
    ['a VIP twice', (it) => it.addVip(VIP4, []), 'vip: expected a VIP that is new'],
    ['an unknown VIP', (it) => it.updateReals(VIP6, []), 'expected a VIP that was added'],
    ['no address', (it) => it.updateReals(VIP4, [{ address: 'x' }]), 'reals[0].address'],
    ['a real twice', (it) => it.updateReals(VIP4, [...reals(1), ...reals(1)]), 'each real once'],
    ['a weight', (it) => it.updateReals(VIP4, [{ address: '10.0.0.9', weight: -1 }]), 'weight'],
    [
      'a group',
      (it) => it.updateReals(VIP4, [{ address: '10.0.0.9', nextHop: '01:00:5e:00:00:01' }]),
      'of one station',
    ],
    ['too many reals', (it) => it.updateReals(VIP4, manyReals(16_384)), 'no room for real'],
    ['a port', (it) => it.addVip({ ...VIP4, port: 0 }, []), '1 to 65535'],
    ['families', (it) => it.realOf({ ...flowTo(VIP4, 1), source: '::1' }), 'an IPv4 address'],
  ])('refuses %s and goes on as before', (_what, act, message) => {
    open();
    forwarder.addVip(VIP4, reals(2));
    const before = realFor(forwarder, flowTo(VIP4, 7));
    expect(() => act(forwarder)).toThrow(message);
    expect(realFor(forwarder, flowTo(VIP4, 7))).toBe(before);
    expect(forwarder.statistics().vips).toHaveLength(1);
    // What was taken for the refused change has been given back.
    expect(forwarder.updateReals(VIP4, manyReals(2_000))).toBe(true);
  });

  it.each([
    ['nextHop', { nextHop: 'router' }],
    ['mtu', { mtu: 100 }],
    ['flowsPerCpu', { flowsPerCpu: 1 }],
    ['ringSeed', { ringSeed: -1n }],
    ['outerSource.ipv4', { outerSource: { ipv4: '172.16.1.0' } }],
    ['outerSource.ipv6', { outerSource: { ipv6: '10.0.0.0' } }],
  ])('refuses a wrong option: %s', (option, options) => {
    open();
    expect(() => openForTest({ nextHop: ROUTER_MAC, ...options })).toThrow(option);
  });

  it('takes its outer source from the configured prefix', () => {
    open({ outerSource: { ipv4: '192.168.0.0' } });
    forwarder.addVip(VIP4, reals(1));
    const { data } = send(forwarder, frame(flowTo(VIP4, 1)));
    expect([...data.subarray(26, 28)]).toEqual([192, 168]);
  });
});

function manyReals(count: number): Real[] {
  return Array.from({ length: count }, (_, index) => ({
    address: `10.8.${index >> 8}.${index & 255}`,
  }));
}

function colons(bytes: Uint8Array): string {
  const groups = Buffer.from(bytes).toString('hex').match(/.{4}/gu) as string[];
  // No IPv4 address in IPv6 clothes.
  return [`2${groups[0]!.slice(1)}`, ...groups.slice(1)].join(':');
}
