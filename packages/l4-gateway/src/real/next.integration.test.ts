/** Two programs at one interface: behind the gateway's stands that of a real on the same machine. */
import { adoptMap, unpin } from '@evenkeel/bpf';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { forwarder as forwarderSpec } from '../forwarder/generated/forwarder.ts';
import { parsePrefix } from '../forwarder/prefix.ts';
import { openForTest, send, stayOnOneCpu } from '../forwarder/test-support/opened.ts';
import { frame } from '../forwarder/test-support/packets.ts';
import { Decapsulator } from './decapsulator.ts';
import { delivered, tunnelled } from './test-support/tunnels.ts';

const isMissing = requireComponent('bpf').path === undefined;
const path = `/sys/fs/bpf/evenkeel_test_${process.pid}`;
const prefixes = (text: string) => [parsePrefix(text, 'test')];
const inner = frame({ source: '198.51.100.7', destination: '10.200.1.1' }).subarray(14);
const tunnel = tunnelled(inner, { source: '172.16.1.1', destination: '10.3.1.2', tunnel: 'gre' });
const toVip = frame({ source: '198.51.100.7', destination: '10.200.2.2' });

describe.skipIf(isMissing)('a program behind the gateway', () => {
  const closers: (() => void)[] = [];
  beforeAll(stayOnOneCpu);
  afterEach(() => {
    for (const close of closers.splice(0)) close();
    unpin(path);
  });

  function open() {
    const forwarder = openForTest({ next: { path } });
    closers.push(() => forwarder.close());
    forwarder.addVip({ address: '10.200.2.2', port: 80, protocol: 'tcp' }, [
      { address: '10.0.0.1' },
    ]);
    return forwarder;
  }
  function openSlot() {
    const slot = adoptMap(forwarderSpec.maps.next, path);
    closers.push(() => slot?.close());
    expect(slot).toBeDefined();
    return slot!;
  }
  function openReal(): Decapsulator {
    const real = new Decapsulator({
      vips: prefixes('10.200.1.1'),
      gateways: prefixes('172.16.0.0/16'),
      addresses: prefixes('10.3.1.2'),
      encapsulations: ['gre'],
      guePort: 6_080,
      largestMss: { ipv4: 0, ipv6: 0 },
    });
    closers.push(() => real.close());
    return real;
  }

  it('gets what is left to the host, once it is put there', () => {
    const forwarder = open();
    expect(send(forwarder, tunnel)).toEqual({ verdict: 'pass', data: tunnel });
    const slot = openSlot();
    slot.update(0, openReal().programs.decapsulate.fd);
    expect(send(forwarder, tunnel)).toEqual({ verdict: 'pass', data: delivered(inner) });
    // What is for a VIP is not its business.
    expect(send(forwarder, toVip).verdict).toBe('tx');
    slot.delete(0);
    expect(send(forwarder, tunnel)).toEqual({ verdict: 'pass', data: tunnel });
  });

  it('is still there when the gateway is started again', () => {
    const first = open();
    openSlot().update(0, openReal().programs.decapsulate.fd);
    first.close();
    expect(send(open(), tunnel)).toEqual({ verdict: 'pass', data: delivered(inner) });
  });

  it('needs a place in a BPF file system', () => {
    expect(() => openForTest({ next: { path: 'next' } })).toThrow('next.path: expected');
    expect(() => openForTest({ next: { path: '/tmp/evenkeel-next' } })).toThrow(
      'not in a BPF file system',
    );
  });
});
