import { readFileSync } from 'node:fs';
import { release } from 'node:os';

/** Numbers of the capabilities that BPF asks for (capabilities(7)). */
export const CAPABILITY = { NET_ADMIN: 12, SYS_ADMIN: 21, PERFMON: 38, BPF: 39 } as const;

export type CapabilityName = `CAP_${keyof typeof CAPABILITY}`;

/** The effective capabilities of this process as a bit set; none where there is no /proc. */
export function effectiveCapabilities(status: string = readStatus()): bigint {
  const hex = /^CapEff:\s*([0-9a-f]+)$/mu.exec(status)?.[1];
  return hex === undefined ? 0n : BigInt(`0x${hex}`);
}

/** Those of `needed` that `effective` lacks. CAP_SYS_ADMIN stands in for CAP_BPF and CAP_PERFMON. */
export function missingCapabilities(
  needed: readonly (keyof typeof CAPABILITY)[],
  effective: bigint = effectiveCapabilities(),
): CapabilityName[] {
  const has = (name: keyof typeof CAPABILITY): boolean =>
    (effective & (1n << BigInt(CAPABILITY[name]))) !== 0n;
  const covered = (name: keyof typeof CAPABILITY): boolean =>
    has(name) || (name !== 'NET_ADMIN' && has('SYS_ADMIN'));
  return needed.filter((name) => !covered(name)).map((name) => `CAP_${name}` as const);
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/** A kernel version, major and minor. */
export type KernelVersion = readonly [major: number, minor: number];

/** The version of the running kernel; [0, 0] when its name does not start with one. */
export function kernelVersion(name: string = release()): KernelVersion {
  const match = /^(\d+)\.(\d+)/u.exec(name);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

/** Whether `version` is at least `least`. */
export function isAtLeast(version: KernelVersion, least: KernelVersion): boolean {
  return version[0] > least[0] || (version[0] === least[0] && version[1] >= least[1]);
}
