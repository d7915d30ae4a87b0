import { describe, expect, it } from 'vitest';
import {
  effectiveCapabilities,
  isAtLeast,
  kernelVersion,
  missingCapabilities,
} from './capabilities.ts';
import { retryInterrupted } from './call-verifier.ts';
import { errnoOf, explainFailure, logTail, type Surroundings } from './failure.ts';
import { pageSizeOf } from './page-size.ts';

const root: Surroundings = { version: [6, 1], missing: () => [] };
const nobody: Surroundings = {
  version: [6, 1],
  missing: (needs) => needs.map((name) => `CAP_${name}`),
};

describe('explaining a failed call', () => {
  it.each([
    {
      rule: 'a missing capability is named, and how to get it',
      failure: {
        operation: 'attaching a',
        errno: errnoOf('EPERM'),
        needs: ['BPF', 'NET_ADMIN'] as const,
      },
      surroundings: nobody,
      code: 'EVENKEEL_BPF_PERMISSION',
      says: 'attaching a: EPERM - this process lacks CAP_BPF and CAP_NET_ADMIN: run as root',
    },
    {
      rule: 'with all capabilities something else forbids it',
      failure: { operation: 'a', errno: errnoOf('EPERM') },
      surroundings: root,
      code: 'EVENKEEL_BPF_PERMISSION',
      says: 'seccomp',
    },
    {
      rule: 'a feature that came later is named with its version',
      failure: {
        operation: 'a',
        errno: errnoOf('EINVAL'),
        feature: { name: 'a TCX link', since: [6, 6] as const },
      },
      surroundings: root,
      code: 'EVENKEEL_BPF_UNSUPPORTED',
      says: 'a TCX link needs Linux 6.6, this is 6.1',
    },
    {
      rule: 'a feature that is there is not to blame',
      failure: {
        operation: 'a',
        errno: errnoOf('EINVAL'),
        feature: { name: 'x', since: [5, 9] as const },
        hints: { EINVAL: 'wrong type' },
      },
      surroundings: root,
      code: 'EVENKEEL_BPF_ARGUMENT',
      says: 'a: EINVAL - wrong type',
    },
    {
      rule: 'the verifier speaks for itself',
      failure: {
        operation: 'a',
        errno: errnoOf('EACCES'),
        log: 'R1 invalid mem access\nprocessed 3 insns (limit 1000000)\n',
      },
      surroundings: root,
      code: 'EVENKEEL_BPF_VERIFIER',
      says: 'the verifier refused the program\n  R1 invalid mem access',
    },
    {
      rule: 'an unknown number is told as it is',
      failure: { operation: 'a', errno: 4711 },
      surroundings: root,
      code: 'EVENKEEL_BPF_KERNEL',
      says: 'a: errno 4711',
    },
  ])('$rule', ({ failure, surroundings, code, says }) => {
    const error = explainFailure(failure, surroundings);
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
  });

  it('shows the end of a long log, where the reason is', () => {
    const log = Array.from({ length: 40 }, (_, line) => `${line}: insn`).join('\n');
    const tail = logTail(`${log}\nmath between pointers\n\nprocessed 40 insns (limit 1000000)\n`);
    expect(tail.split('\n')).toHaveLength(13);
    expect(tail).toMatch(/^ {2}\.\.\. 29 lines before\n/u);
    expect(tail).toMatch(/math between pointers$/u);
    expect(logTail('')).toBe('');
  });
});

describe('capabilities', () => {
  it('reads the effective set', () => {
    expect(effectiveCapabilities('CapPrm:\t01\nCapEff:\t000001ffffffffff\n')).toBe(
      0x1ff_ffff_ffffn,
    );
    expect(effectiveCapabilities('nothing here')).toBe(0n);
  });

  it('lets CAP_SYS_ADMIN stand in for CAP_BPF and CAP_PERFMON, not for CAP_NET_ADMIN', () => {
    const sysAdmin = 1n << 21n;
    expect(missingCapabilities(['BPF', 'PERFMON', 'NET_ADMIN'], sysAdmin)).toEqual([
      'CAP_NET_ADMIN',
    ]);
    expect(missingCapabilities(['BPF'], 1n << 39n)).toEqual([]);
    expect(missingCapabilities(['BPF'], 0n)).toEqual(['CAP_BPF']);
  });
});

describe('kernel versions', () => {
  it.each([
    ['6.18.44-fc', [6, 18]],
    ['5.15.0-91-generic', [5, 15]],
    ['odd', [0, 0]],
  ])('%s', (name, expected) => expect(kernelVersion(name)).toEqual(expected));

  it('compares major before minor', () => {
    expect(isAtLeast([6, 1], [5, 15])).toBe(true);
    expect(isAtLeast([5, 15], [5, 15])).toBe(true);
    expect(isAtLeast([5, 9], [5, 15])).toBe(false);
    expect(isAtLeast([4, 20], [5, 1])).toBe(false);
  });
});

describe('page size', () => {
  it('is an entry of the auxiliary vector', () => {
    const vector = new Uint8Array(new BigUint64Array([33n, 1n, 6n, 65_536n, 0n, 0n]).buffer);
    expect(pageSizeOf(vector)).toBe(65_536);
    expect(pageSizeOf(new Uint8Array(3))).toBe(4_096);
  });
});

describe('a verifier interrupted by signals', () => {
  const answering = (...answers: number[]): { call: () => number; count: () => number } => {
    let count = 0;
    const call = (): number => answers[Math.min(count++, answers.length - 1)] as number;
    return { call, count: () => count };
  };

  it.each([
    { rule: 'is asked again', answers: [-11, -11, 7], result: 7, calls: 3 },
    { rule: 'is not asked for ever', answers: [-11], result: -11, calls: 10 },
    { rule: 'is believed when it answers', answers: [-13], result: -13, calls: 1 },
  ])('$rule', ({ answers, result, calls }) => {
    const { call, count } = answering(...answers);
    expect(retryInterrupted(call)).toBe(result);
    expect(count()).toBe(calls);
  });
});
