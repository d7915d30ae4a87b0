/** Who may come in, in the real kernel. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder, ForwarderOptions, PacketCounts, Vip, VipOptions } from '../index.ts';
import { openForTest, send, stayOnOneCpu } from './test-support/opened.ts';
import { frame, type FrameOptions } from './test-support/packets.ts';

const isMissing = requireComponent('bpf').path === undefined;
const VIP: Vip = { address: '10.200.1.1', port: 80, protocol: 'tcp' };
const VIP6: Vip = { address: 'fc00:1::1', port: 80, protocol: 'tcp' };
const REALS = [{ address: '10.0.0.11' }];

describe.skipIf(isMissing)('the guard', () => {
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());

  function open(options: Partial<ForwarderOptions> = { guard: {} }, vip: VipOptions = {}): void {
    forwarder = openForTest(options);
    forwarder.addVip(VIP, REALS, vip);
    forwarder.addVip(VIP6, REALS, vip);
  }
  const packet = (source: string, rest: Partial<FrameOptions> = {}): Buffer =>
    frame({ source, destination: source.includes(':') ? VIP6.address : VIP.address, ...rest });
  const judge = (source: string, rest: Partial<FrameOptions> = {}) =>
    send(forwarder, packet(source, rest)).verdict;
  const dropped = (): Partial<Record<keyof PacketCounts, number>> => {
    const counts = Object.entries(forwarder.statistics().packets);
    return Object.fromEntries(
      counts
        .filter(([name, count]) => count > 0n && name !== 'newFlow' && name !== 'passedNoVip')
        .map(([name, count]) => [name, Number(count)]),
    );
  };

  it('lets everybody in until it is told otherwise', () => {
    open();
    expect(judge('198.51.100.7')).toBe('tx');
    expect(judge('2001:db8::7')).toBe('tx');
    expect(dropped()).toEqual({});
  });

  it.each([
    ['198.51.100.7', 'drop'],
    ['198.51.100.200', 'tx'],
    ['198.51.101.1', 'tx'],
    ['203.0.113.9', 'drop'],
    ['203.0.113.77', 'tx'],
    ['2001:db8:bad::7', 'drop'],
    ['2001:db8:bad:1::7', 'tx'],
    ['2001:db8:1::7', 'tx'],
  ])('goes by the longest prefix: %s', (source, verdict) => {
    open();
    forwarder.setGuard({
      deny: ['198.51.100.0/25', '203.0.113.0/24', '2001:db8:bad::/48'],
      allow: ['203.0.113.64/26', '2001:db8:bad:1::/64'],
    });
    expect(judge(source)).toBe(verdict);
    expect(dropped()).toEqual(verdict === 'drop' ? { denied: 1 } : {});
  });

  it('lets in nobody but those who are allowed', () => {
    open();
    forwarder.setGuard({ allow: ['198.51.100.0/24', '2001:db8::/32'], others: 'deny' });
    expect(judge('198.51.100.7')).toBe('tx');
    expect(judge('2001:db8::7')).toBe('tx');
    expect(judge('192.0.2.1')).toBe('drop');
    expect(judge('2001:dead::1')).toBe('drop');
    expect(dropped()).toEqual({ denied: 2 });
  });

  it('stops flows that are known, and lets them go on when the rules are gone', () => {
    open();
    expect(judge('198.51.100.7')).toBe('tx');
    forwarder.setGuard({ deny: ['198.51.100.7'] });
    expect(judge('198.51.100.7')).toBe('drop');
    forwarder.setGuard({});
    expect(judge('198.51.100.7')).toBe('tx');
  });

  it('has nothing to say about what is not for a VIP', () => {
    open();
    forwarder.setGuard({ others: 'deny', perSource: { packets: { perSecond: 1, burst: 1 } } });
    for (let turn = 0; turn < 5; turn += 1) {
      const toHost = { source: '192.0.2.1', destination: '10.200.9.9' };
      expect(send(forwarder, frame(toHost)).verdict).toBe('pass');
    }
  });

  it('limits the packets of a source, and of no other', () => {
    open();
    forwarder.setGuard({ perSource: { packets: { perSecond: 1, burst: 5 } } });
    const verdicts = Array.from({ length: 8 }, () => judge('198.51.100.7'));
    expect(verdicts).toEqual([...Array(5).fill('tx'), ...Array(3).fill('drop')]);
    expect(judge('198.51.100.8')).toBe('tx');
    expect(judge('2001:db8::7')).toBe('tx');
    expect(dropped()).toEqual({ sourceLimited: 3 });
  });

  it('takes the addresses of an IPv6 network for one source', () => {
    open();
    forwarder.setGuard({ perSource: { packets: { perSecond: 1, burst: 3 } } });
    const verdicts = [1, 2, 3, 4].map((host) => judge(`2001:db8:0:7::${host}`));
    expect(verdicts).toEqual(['tx', 'tx', 'tx', 'drop']);
    expect(judge('2001:db8:0:8::1')).toBe('tx');
  });

  it('lets a source go on after a while', async () => {
    open();
    forwarder.setGuard({ perSource: { packets: { perSecond: 4, burst: 1 } } });
    expect(judge('198.51.100.7')).toBe('tx');
    expect(judge('198.51.100.7')).toBe('drop');
    await vi.waitUntil(() => judge('198.51.100.7') === 'tx', { timeout: 3_000 });
  });

  it.each([true, false])(
    'limits the new flows of a source; every packet seen: %s',
    (everyPacket) => {
      open({ guard: { everyPacket } });
      forwarder.setGuard({ perSource: { newFlows: { perSecond: 1, burst: 4 } } });
      const verdicts = [1, 2, 3, 4, 5, 6].map((sourcePort) =>
        judge('198.51.100.7', { sourcePort, tcpFlags: 2 }),
      );
      expect(verdicts).toEqual([...Array(4).fill('tx'), ...Array(2).fill('drop')]);
      // What is open goes on.
      for (let turn = 0; turn < 10; turn += 1) {
        expect(judge('198.51.100.7', { sourcePort: 2 })).toBe('tx');
      }
      expect(dropped()).toEqual({ sourceFlowsLimited: 2 });
    },
  );

  it('limits the packets of a VIP, whoever sends them', () => {
    open({ guard: {} }, { limits: { packets: { perSecond: 1, burst: 4 } } });
    const verdicts = [1, 2, 3, 4, 5, 6].map((host) => judge(`198.51.100.${host}`));
    expect(verdicts).toEqual([...Array(4).fill('tx'), ...Array(2).fill('drop')]);
    expect(judge('2001:db8::7')).toBe('tx');
    expect(dropped()).toEqual({ vipLimited: 2 });
    forwarder.configureVip(VIP, {});
    expect(judge('198.51.100.9')).toBe('tx');
  });

  it('limits the new flows of a VIP, and leaves those that it has', () => {
    open({ guard: { everyPacket: false } }, { limits: { newFlows: { perSecond: 1, burst: 3 } } });
    const syn = (host: number) => judge(`198.51.100.${host}`, { tcpFlags: 2 });
    expect([1, 2, 3, 4, 5].map(syn)).toEqual(['tx', 'tx', 'tx', 'drop', 'drop']);
    expect(judge('198.51.100.1')).toBe('tx');
    expect(dropped()).toEqual({ vipFlowsLimited: 2 });
    // A VIP that comes later with its number begins without the limit.
    forwarder.removeVip(VIP);
    forwarder.addVip(VIP, REALS);
    expect([1, 2, 3, 4, 5, 6].map(syn)).toEqual(Array(6).fill('tx'));
  });

  it('denies new flows where it sees no others', () => {
    open({ guard: { everyPacket: false } });
    expect(judge('198.51.100.7')).toBe('tx');
    forwarder.setGuard({ deny: ['198.51.100.0/24'] });
    expect(judge('198.51.100.7')).toBe('tx');
    expect(judge('198.51.100.8')).toBe('drop');
  });

  it('holds a source that sends too much while a flood of others goes by', () => {
    open({ guard: { trackedSources: 1_024 } });
    forwarder.setGuard({ perSource: { packets: { perSecond: 1, burst: 8 } } });
    const heavy = () => judge('192.0.2.66');
    let passed = 0;
    for (let turn = 0; turn < 4_000; turn += 1) {
      judge(`198.${18 + (turn >> 16)}.${(turn >> 8) & 255}.${turn & 255}`, {
        sourcePort: turn + 1,
      });
      if (turn % 10 === 0 && heavy() === 'tx') passed += 1;
    }
    // 400 packets of its own; without a record it would be let through each time.
    expect(passed).toBeLessThan(40);
  });

  it('guards what comes in as an error about a flow', () => {
    open();
    forwarder.setGuard({ deny: ['192.0.2.0/24'] });
    const quoted = frame({ source: VIP.address, destination: '198.51.100.7', sourcePort: 80 });
    const body = Buffer.concat([Buffer.from([3, 1, 0, 0, 0, 0, 0, 0]), quoted.subarray(14, 42)]);
    const error = (source: string) =>
      frame({ source, destination: VIP.address, protocol: 1, payload: body });
    expect(send(forwarder, error('203.0.113.1')).verdict).toBe('tx');
    expect(send(forwarder, error('192.0.2.1')).verdict).toBe('drop');
  });

  it.each<[string, Partial<ForwarderOptions>, () => void]>([
    ['without room', {}, () => forwarder.setGuard({ perSource: { newFlows: { perSecond: 1 } } })],
    ['without room, lists', {}, () => forwarder.setGuard({ deny: ['10.0.0.0/8'] })],
    [
      'of packets that it does not see',
      { guard: { everyPacket: false } },
      () => forwarder.setGuard({ perSource: { packets: { perSecond: 1 } } }),
    ],
    [
      'of a VIP, without room',
      {},
      () => forwarder.configureVip(VIP, { limits: { newFlows: { perSecond: 1 } } }),
    ],
  ])('is refused %s, and everything goes on', (_what, options, act) => {
    open(options);
    expect(act).toThrow('expected none unless');
    expect(judge('198.51.100.7')).toBe('tx');
  });
});
