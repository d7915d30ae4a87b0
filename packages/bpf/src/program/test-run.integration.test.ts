/** Running programs on packets of ours. */
import { afterAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { isBpfError, loadObject, sumOf } from '../index.ts';
import { basic } from '../object/test-support/generated/basic.ts';

const { path } = requireComponent('bpf');

const frame = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index);

describe.skipIf(path === undefined)('a test run', () => {
  const object = path === undefined ? undefined : loadObject(basic);
  const { grow, countPackets, connect4, refuseLookup, countFrames } =
    object?.programs ?? ({} as never);
  afterAll(() => object?.close());

  it('gives verdict and packet, also when the packet has grown', () => {
    const run = grow.testRun({ data: frame(60) });
    expect(run.verdict).toBe(3);
    expect(Buffer.from(run.data)).toEqual(Buffer.concat([Buffer.from('evenkeel'), frame(60)]));
  });

  it('says that the packet did not fit the room', () => {
    expect(() => grow.testRun({ data: frame(60), room: 60 })).toThrow(
      'ENOSPC - the packet grew beyond `room`',
    );
  });

  it('does not restore the packet between repetitions', () => {
    expect(grow.testRun({ data: frame(60), repeat: 3 }).data).toHaveLength(60 + 3 * 8);
  });

  it('takes the time of many repetitions', () => {
    const { durationNs } = countPackets.testRun({ data: frame(60), repeat: 10_000 });
    expect(durationNs).toBeGreaterThan(0);
  });

  it('runs programs of traffic control', () => {
    const before = sumOf(object!.maps.stats, 2);
    const run = countFrames.testRun({ data: frame(60) });
    expect(run.verdict).toBe(0xffff_ffff);
    expect(run.data).toEqual(frame(60));
    expect(sumOf(object!.maps.stats, 2)).toBe(before + 1n);
  });

  it('runs programs on a context', () => {
    // struct bpf_sk_lookup: family at 8, protocol at 12, remote and local address and port, all of an IPv4 TCP packet.
    const context = new Uint8Array(72);
    const view = new DataView(context.buffer);
    view.setUint32(8, 2, true);
    view.setUint32(12, 6, true);
    expect(refuseLookup.testRun({ context }).verdict).toBe(0);
  });

  it('sends live frames', () => {
    const before = sumOf(object!.maps.stats, 0);
    countPackets.testRun({ data: frame(60), repeat: 64, liveFrames: true, context: ingress(1) });
    expect(sumOf(object!.maps.stats, 0)).toBe(before + 64n);
  });

  it.each([
    [
      'a frame that is too short',
      () => countPackets.testRun({ data: frame(4) }),
      'EVENKEEL_BPF_ARGUMENT',
    ],
    [
      'no repetition',
      () => countPackets.testRun({ data: frame(60), repeat: 0 }),
      'EVENKEEL_BPF_ARGUMENT',
    ],
    ['a type that cannot', () => connect4.testRun({ data: frame(60) }), 'EVENKEEL_BPF_UNSUPPORTED'],
  ])('refuses %s', (_what, run, code) => {
    let thrown: unknown;
    try {
      run();
    } catch (error) {
      thrown = error;
    }
    expect(isBpfError(thrown) ? thrown.code : thrown).toBe(code);
  });
});

/** struct xdp_md with the whole frame as data, received by the loopback interface. */
function ingress(index: number): Uint8Array {
  const context = new Uint8Array(24);
  const view = new DataView(context.buffer);
  view.setUint32(4, 60, true);
  view.setUint32(12, index, true);
  return context;
}
