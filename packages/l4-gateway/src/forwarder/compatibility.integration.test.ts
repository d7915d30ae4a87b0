/**
 * Frames of another forwarder, and what it makes of them: `../shared/data/l4-packet-cases.json` beside the repository, if
 * it is there. The frames are that project's and are not kept here.
 *
 * Each VIP has the one real that the expected frame names, so neither hash nor table matter; fields that the file calls a
 * matter of the implementation are left out.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { openForwarder, type Vip } from '../index.ts';
import { send, stayOnOneCpu } from './test-support/opened.ts';
import type { VipOptions } from './vip-options.ts';

interface Case {
  readonly id: string;
  readonly title: string;
  readonly verdict: 'TX' | 'PASS' | 'DROP';
  readonly input: string;
  readonly output: string;
  readonly outputIs: 'encapsulated' | 'answer' | 'unchanged';
  readonly implementationSpecific?: Readonly<Record<string, readonly [number, number]>>;
  readonly backendInOutput?: string;
}

const file = join(import.meta.dirname, '../../../../../shared/data/l4-packet-cases.json');
const { path } = requireComponent('bpf');
const isAbsent = path === undefined || !existsSync(file);
if (!existsSync(file)) process.stderr.write(`skipping frames of another forwarder: no ${file}\n`);

/** Its connection ids have another layout than ours. */
const OTHER_LAYOUT = new Set(['quic-handshake', 'quic-short']);

const VIPS: readonly (readonly [Vip, VipOptions])[] = [
  [{ address: '10.200.1.1', port: 80, protocol: 'udp' }, {}],
  [{ address: '10.200.1.1', port: 80, protocol: 'tcp' }, {}],
  [{ address: '10.200.1.3', port: 80, protocol: 'tcp' }, {}],
  [{ address: '10.200.1.4', port: 'any', protocol: 'tcp' }, { hash: 'destination-port' }],
  [{ address: '10.200.1.5', port: 443, protocol: 'udp' }, { quic: { serverIdBytes: 2 } }],
  [{ address: 'fc00:1::1', port: 80, protocol: 'tcp' }, {}],
];

describe.skipIf(isAbsent)('a frame of another forwarder', () => {
  const { config, cases } = isAbsent
    ? { config: { nextHopMac: '' }, cases: [] }
    : (JSON.parse(readFileSync(file, 'utf8')) as {
        config: { nextHopMac: string };
        cases: readonly Case[];
      });
  const forwarder = isAbsent
    ? undefined
    : openForwarder({ nextHop: config.nextHopMac, flowsPerCpu: 4_096 });
  beforeAll(() => {
    stayOnOneCpu();
    for (const [vip, options] of VIPS) forwarder?.addVip(vip, [], options);
  });
  afterAll(() => forwarder?.close());

  const usable = cases.filter(({ id }) => !OTHER_LAYOUT.has(id));

  it('has its file whole', () => expect(usable).toHaveLength(16));

  it.each(usable.map((one) => [one.id, one] as const))('%s', (_id, one) => {
    const { backendInOutput: real, implementationSpecific = {} } = one;
    if (real !== undefined) {
      for (const [vip] of VIPS) forwarder!.updateReals(vip, [{ address: real }]);
    }
    const { verdict, data } = send(forwarder!, Buffer.from(one.input, 'hex'));
    const [got, expected] = [data, Buffer.from(one.output, 'hex')];
    expect(got.length).toBe(expected.length);
    for (const frame of [got, expected]) {
      // The flow label, which follows the flow as the outer source does.
      if (one.outputIs === 'encapsulated' && frame[12] === 0x86) frame.fill(0, 15, 18);
      for (const [start, end] of Object.values(implementationSpecific)) frame.fill(0, start, end);
    }
    expect({ verdict, frame: got.toString('hex') }).toEqual({
      verdict: one.verdict.toLowerCase(),
      frame: expected.toString('hex'),
    });
  });
});
