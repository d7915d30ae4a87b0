import { CONTENDERS, SIZES } from './contenders.ts';
import type { Measurement } from './measurement.ts';
import { TABLE_BUILDS } from './tables.ts';

/** One figure: its name, what is measured, and in which process. */
export interface Task {
  readonly figure: string;
  /** Tasks of one worker share a process. */
  readonly worker: string;
  readonly measurement: Measurement;
}

/** All figures of the suite. */
export function plan(): Task[] {
  return [...picks(), ...lookups(), ...builds(), ...updates(), ...cluster()];
}

function picks(): Task[] {
  const alone = CONTENDERS.flatMap(({ name, sizes = SIZES }) =>
    sizes.map((count): Task => {
      const measurement = { kind: 'pick', contender: name, count } as const;
      return { figure: `${name}@${count}`, worker: name, measurement };
    }),
  );
  const amongAll = ['round-robin', 'least-request', 'peak-ewma'].map((name): Task => {
    const measurement = { kind: 'pick-among-all', contender: name, count: 1_000 } as const;
    return { figure: `${name}-among-all@1000`, worker: 'among-all', measurement };
  });
  return [...alone, ...amongAll];
}

function lookups(): Task[] {
  return ['maglev', 'ring-hash', 'ketama', 'rendezvous'].map((contender) => ({
    figure: `${contender}-key16@1000`,
    worker: contender,
    measurement: { kind: 'lookup', contender, count: 1_000 },
  }));
}

function builds(): Task[] {
  return Object.keys(TABLE_BUILDS).map((table) => ({
    figure: table,
    worker: 'tables',
    measurement: { kind: 'build', table },
  }));
}

function updates(): Task[] {
  return CONTENDERS.filter(({ name }) => !name.startsWith('floor')).map(({ name }) => ({
    figure: `${name}-update@10000-us`,
    worker: 'updates',
    measurement: { kind: 'update', contender: name, count: 10_000 },
  }));
}

function cluster(): Task[] {
  return [
    {
      figure: 'cluster-acquire-finish@1000',
      worker: 'acquire',
      measurement: { kind: 'acquire', count: 1_000 },
    },
    ...(['thresholds', 'all'] as const).map((gates): Task => ({
      figure: `admission-${gates}-ns`,
      worker: 'admission',
      measurement: { kind: 'admission', gates },
    })),
    { figure: 'clock-read-ns', worker: 'cluster', measurement: { kind: 'clock' } },
    {
      figure: 'cluster-update@10000-ms',
      worker: 'cluster',
      measurement: { kind: 'cluster-update', count: 10_000 },
    },
    {
      figure: 'bytes-per-endpoint',
      worker: 'bytes',
      measurement: { kind: 'bytes', count: 10_000 },
    },
  ];
}
