/** The scripted day: what happens to the servers, and when. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './stage.ts';

/** What the report looks at after an incident. */
export type Expectation = 'avoided' | 'used' | 'none';

export interface Incident {
  readonly atMs: number;
  readonly title: string;
  /** The server it happens to; undefined: none in particular. */
  readonly server: string | undefined;
  /** Is the server to lose its traffic, or to get some? */
  readonly expectation: Expectation;
  /** Servers that are well from then on. */
  readonly heals: readonly string[];
  readonly happen: (stage: Stage) => Promise<void> | void;
}

/** Length of the day. */
export const DAY_MS = 21_000;

export const DAY: readonly Incident[] = [
  {
    atMs: 0,
    title: 'all is well',
    server: undefined,
    expectation: 'none',
    heals: [],
    happen: () => undefined,
  },
  {
    atMs: 2_500,
    title: 'beech becomes 20 times slower',
    server: 'beech',
    expectation: 'avoided',
    heals: [],
    happen: ({ fleet }) => fleet.get('beech').behave('slow'),
  },
  {
    atMs: 5_000,
    title: 'cedar fails fast: 503 to everything, at once',
    server: 'cedar',
    expectation: 'avoided',
    heals: [],
    happen: ({ fleet }) => fleet.get('cedar').behave('failing'),
  },
  {
    atMs: 7_500,
    title: 'elm is killed',
    server: 'elm',
    expectation: 'avoided',
    heals: [],
    happen: ({ fleet }) => fleet.get('elm').kill(),
  },
  {
    atMs: 10_000,
    title: 'linden is added to the discovery file',
    server: 'linden',
    expectation: 'used',
    heals: [],
    happen: async ({ fleet, endpoints }) => endpoints.add(await fleet.start('linden')),
  },
  {
    atMs: 12_500,
    title: 'alder is removed from the discovery file',
    server: 'alder',
    expectation: 'avoided',
    heals: [],
    happen: ({ endpoints }) => endpoints.remove('alder'),
  },
  {
    atMs: 15_000,
    title: 'beech and cedar are well again',
    server: undefined,
    expectation: 'none',
    heals: ['beech', 'cedar'],
    happen: ({ fleet }) => {
      for (const name of ['beech', 'cedar']) fleet.get(name).behave('well');
    },
  },
];

/** An incident that has happened. */
export interface PastIncident extends Incident {
  /** When it was done, in the time of the load. */
  readonly doneAtMs: number;
  /** Servers listed then: what a fair share is a share of. */
  readonly listedCount: number;
}

/** Everything that a play is told besides the stage. */
export interface PlayOptions {
  readonly signal: AbortSignal;
  readonly onIncident: (incident: PastIncident) => void;
}

/**
 * Plays one day. It ends early, and quietly, when the signal aborts.
 */
export async function playDay(stage: Stage, { signal, onIncident }: PlayOptions): Promise<void> {
  const morningMs = stage.load.nowMs();
  const until = (atMs: number): Promise<void> =>
    pause(morningMs + atMs - stage.load.nowMs(), signal);
  for (const incident of DAY) {
    await until(incident.atMs);
    if (signal.aborted) return;
    await incident.happen(stage);
    onIncident({
      ...incident,
      doneAtMs: stage.load.nowMs(),
      listedCount: stage.endpoints.names.length,
    });
  }
  await until(DAY_MS);
}

/** Makes all well again, so that another day can begin. */
export async function restore(
  { fleet, endpoints }: Stage,
  names: readonly string[],
): Promise<void> {
  const servers = await Promise.all(
    names.map(async (name) => (fleet.get(name).alive ? fleet.get(name) : await fleet.start(name))),
  );
  await endpoints.add(...servers);
  for (const name of endpoints.names.filter((listed) => !names.includes(listed))) {
    await endpoints.remove(name);
    await fleet.get(name).kill();
  }
}

/** Waits, at least 0 and until the signal at most. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, delayMs), undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
