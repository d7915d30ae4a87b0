/** Random and mutated packets against a forwarder that has a VIP of every sort: only what the rules allow comes out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder } from '../index.ts';
import { openForTest, send, stayOnOneCpu } from './test-support/opened.ts';
import { checksum, CLIENT_MAC, frame, GATEWAY_MAC, ROUTER_MAC } from './test-support/packets.ts';
import {
  extended,
  extension,
  fragmentHeader,
  icmp,
  quoted,
  tagged,
  wrongChecksums,
} from './test-support/shapes.ts';

const { path } = requireComponent('bpf');

/** Numbers that are the same in every run (Numerical Recipes' generator). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function openAll(): Forwarder {
  const forwarder = openForTest({ repliesPerSecond: 1_000_000 });
  const reals = [
    { address: '10.0.0.1', serverId: 'aa01' },
    { address: 'fc00:2::1', serverId: 'aa02' },
  ];
  const plain = reals.map(({ address }) => ({ address }));
  for (const address of ['10.200.1.1', 'fc00:1::1']) {
    forwarder.addVip({ address, port: 80, protocol: 'tcp' }, plain);
    forwarder.addVip({ address, port: 81, protocol: 'any' }, plain, { options: 'forward' });
    forwarder.addVip({ address, port: 82, protocol: 'tcp' }, [{ ...plain[0]!, down: true }], {
      deadReals: 'reset',
    });
    forwarder.addVip({ address, port: 80, protocol: 'udp' }, plain, {
      ...{ fragments: 'three-tuple', options: 'forward' },
    });
    forwarder.addVip({ address, port: 443, protocol: 'udp' }, reals, {
      quic: { serverIdBytes: 2 },
    });
  }
  forwarder.addVip({ address: '10.201.0.0/16', port: 'any', protocol: 'any' }, plain, {
    ...{ hash: 'source', fragments: 'three-tuple' },
  });
  forwarder.addVip({ address: 'fc00:3::/32', port: 'any', protocol: 'tcp' }, plain);
  return forwarder;
}

function seeds(): Buffer[] {
  const payload = Buffer.alloc(24, 3);
  const ends4 = { source: '198.51.100.7', destination: '10.200.1.1' };
  const ends6 = { source: '2001:db8::7', destination: 'fc00:1::1' };
  const all: Buffer[] = [];
  for (const ends of [ends4, ends6]) {
    for (const [protocol, destinationPort] of [
      ...[['tcp', 80] as const, ['tcp', 81] as const, ['tcp', 82] as const, ['udp', 80] as const],
      ...[['udp', 443] as const, ['udp', 9] as const],
    ]) {
      all.push(frame({ ...ends, protocol, destinationPort, payload }));
    }
    const about = quoted({ ...ends, destinationPort: 80 });
    for (const type of [0, 1, 2, 3, 4, 8, 11, 12, 128, 129, 135]) {
      all.push(icmp({ ...ends, type, rest: 1_400, body: about }));
    }
    all.push(frame({ ...ends, payload: Buffer.alloc(1_440) }));
  }
  all.push(frame({ ...ends4, destination: '10.201.7.7', protocol: 47, payload }));
  all.push(frame({ ...ends4, protocol: 'udp', options: Buffer.alloc(12, 1), payload }));
  all.push(frame({ ...ends4, protocol: 17, fragment: 0x2001, payload }));
  const large = frame({ ...ends4, payload: Buffer.alloc(1_460) });
  large[20] = 0x40;
  all.push(large, frame({ ...ends6, payload: Buffer.alloc(1_440) }));
  const kinds = [0, 60, 43].map((kind) => extension(kind, 16));
  all.push(extended({ ...ends6, destinationPort: 81, payload }, kinds));
  all.push(extended({ ...ends6, protocol: 'udp', payload }, [...kinds, fragmentHeader(0, true)]));
  all.push(extended({ ...ends6, destination: 'fc00:3::9', payload }, [extension(51, 12)]));
  return [...all, ...all.map((one) => tagged(one))];
}

const macs = (to: string, from: string): string => `${to}${from}`.replaceAll(':', '');
const TO_REAL = macs(ROUTER_MAC, GATEWAY_MAC);
const BACK = macs(CLIENT_MAC, GATEWAY_MAC);

/** Where the IP packet begins. */
const linkBytes = (data: Uint8Array): number =>
  (data[12] === 0x81 && data[13] === 0) || (data[12] === 0x88 && data[13] === 0xa8) ? 18 : 14;

function assertSent(input: Buffer, data: Buffer): void {
  const addresses = data.subarray(0, 12).toString('hex');
  const at = linkBytes(input);
  expect(linkBytes(data)).toBe(at);
  if (addresses === TO_REAL) {
    // In IPv4 or IPv6, and unchanged in there.
    const is4 = (data[at] as number) >> 4 === 4;
    if (is4) expect(checksum(data.subarray(at, at + 20))).toBe(0);
    expect(data.subarray(at + (is4 ? 20 : 40)).equals(input.subarray(at))).toBe(true);
    const real = is4 ? data.subarray(at + 16, at + 20) : data.subarray(at + 24, at + 40);
    expect(['0a000001', 'fc000002000000000000000000000001']).toContain(real.toString('hex'));
    return;
  }
  expect(addresses).toBe(BACK);
  // An echo is the sender's own, wrong checksums included; errors and resets are ours.
  const isEcho =
    data.length === input.length &&
    [0, 129].includes(data[at + (data[at] === 0x45 ? 20 : 40)] as number);
  if (!isEcho) expect(wrongChecksums(data)).toEqual([]);
}

describe.skipIf(path === undefined)('any packet', () => {
  const forwarder = path === undefined ? undefined : openAll();
  beforeAll(stayOnOneCpu);
  afterAll(() => forwarder?.close());

  const check = (input: Buffer): string => {
    const { verdict, data } = send(forwarder!, input);
    if (verdict === 'tx') assertSent(input, data);
    else if (verdict === 'pass') expect(data.equals(input)).toBe(true);
    else expect(verdict).toBe('drop');
    return verdict as string;
  };

  it.each([1, 2, 3])('of random changes stays within the rules, seed %i', (seed) => {
    const random = generator(seed);
    const from = seeds();
    const verdicts = new Map<string, number>();
    for (let turn = 0; turn < 4_000; turn += 1) {
      let input = Buffer.from(from[random(from.length)]!);
      for (let change = random(5); change > 0; change -= 1) {
        // Headers matter more than payload.
        input[12 + random(Math.min(80, input.length - 12))] = random(4) === 0 ? 0xff : random(256);
      }
      if (random(8) === 0) input = input.subarray(0, 14 + random(input.length - 14));
      const verdict = check(input);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    // The changes are such that each verdict has its share.
    for (const verdict of ['tx', 'pass', 'drop']) {
      expect(verdicts.get(verdict) ?? 0).toBeGreaterThan(200);
    }
  });

  it('of random bytes stays within the rules', () => {
    const random = generator(4);
    for (let turn = 0; turn < 4_000; turn += 1) {
      const input = Buffer.from(Array.from({ length: 14 + random(120) }, () => random(256)));
      input.write(macs(GATEWAY_MAC, CLIENT_MAC), 'hex');
      input.writeUInt16BE([0x0800, 0x86dd, 0x8100, 0x0800][random(4)]!, 12);
      if (input.length > 14) input[14] = [0x45, 0x60, 0x46, 0x4f][random(4)]!;
      check(input);
    }
  });

  it('cut at any length stays within the rules', () => {
    for (const whole of seeds()) {
      for (let length = 14; length < Math.min(whole.length, 150); length += 1) {
        check(whole.subarray(0, length));
      }
    }
  });

  it('has the same real whichever way it takes', () => {
    const random = generator(6);
    for (let turn = 0; turn < 600; turn += 1) {
      const isIp6 = random(2) === 1;
      const flow = {
        source: isIp6
          ? `2001:db8::${(1 + random(9_999)).toString(16)}`
          : `198.51.100.${random(256)}`,
        sourcePort: 1 + random(65_535),
        ...{ destination: isIp6 ? 'fc00:1::1' : '10.200.1.1', destinationPort: 81 },
        protocol: random(2) === 1 ? ('tcp' as const) : ('udp' as const),
      };
      const input = frame(flow);
      // The short way takes plain frames, the long way tagged ones; either may come first.
      const inputs = random(2) === 1 ? [input, tagged(input)] : [tagged(input), input];
      const reals = inputs.map((one) => {
        const { data } = send(forwarder!, one);
        const at = linkBytes(data);
        return data[at] === 0x45
          ? data.subarray(at + 16, at + 20).join('.')
          : data.subarray(at + 24, at + 40).toString('hex');
      });
      const expected = forwarder!.realOf(flow)!;
      expect(reals[0]).toBe(reals[1]);
      expect(reals[0]).toBe(expected.includes('.') ? expected : 'fc000002000000000000000000000001');
    }
  });
});
