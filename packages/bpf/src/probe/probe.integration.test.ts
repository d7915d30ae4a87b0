import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { probeFeatures, probeHelper, probeMap, probeProgram } from '../index.ts';

const { path } = requireComponent('bpf');

/** From `<linux/bpf.h>`. */
const BPF_FUNC_map_lookup_elem = 1;
const BPF_FUNC_xdp_adjust_head = 44;

describe.skipIf(path === undefined)('probes', () => {
  it('find what every supported kernel has', () => {
    const report = probeFeatures();
    expect(report.missingCapabilities).toEqual([]);
    const supports = [...Object.values(report.programs), ...Object.values(report.maps), report.btf];
    expect(supports.filter(({ supported }) => !supported)).toEqual([]);
  });

  it('find helpers by type of program', () => {
    expect(probeHelper('xdp', BPF_FUNC_map_lookup_elem)).toBe(true);
    expect(probeHelper('xdp', BPF_FUNC_xdp_adjust_head)).toBe(true);
    expect(probeHelper('tc', BPF_FUNC_xdp_adjust_head)).toBe(false);
    expect(probeHelper('xdp', 60_000)).toBe(false);
  });

  it('say why something is not there', () => {
    expect(probeProgram('extension')).toMatchObject({
      supported: false,
      reason: expect.stringContaining('loading a program of type extension'),
    });
    expect(probeMap('array-of-maps')).toMatchObject({ supported: false });
  });

  it('leave nothing behind', () => {
    const before = readdirSync('/proc/self/fd').length;
    probeFeatures();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
