/**
 * What it takes to follow a registry: how long a change needs from the call that makes it to the new picker, what a large
 * service that keeps changing costs in CPU time and memory, and how much goes over the wire; this library against the
 * plain client of the registry.
 *
 * Real servers on loopback, written to by this process. Options are the defaults, so two looks of ours are at least 200 ms
 * apart, and further where they take much work: changes that come faster than that are joined.
 */
import { median } from '../../support/statistics.ts';
import type { Figures, Suite, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { REGISTRIES } from './registries.ts';
import type { Instance, RegistryName, RunningRegistry } from './registry.ts';
import { type Follower, type Followers, hostOf, idOf, nowMs, pause, withScene } from './scene.ts';
import type { ContenderName } from './subject.ts';

const CONTENDERS: readonly ContenderName[] = ['evenkeel', 'plain'];
/** Endpoints while single changes are timed. */
const SMALL = 100;
const LARGE = 10_000;
const CHANGES_PER_SECOND = 100;
/** A single change meets a client that is at rest. */
const QUIET_MS = 250;
const COMER: Instance = { host: '10.9.9.9', weight: 1 };

interface SingleChanges {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytesPerChange: number;
}

interface SteadyChanges {
  readonly cpuPercent: number;
  readonly memoryMiB: number;
  readonly residentMiB: number;
  readonly readyMs: number;
  readonly changesPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly bytesPerChange: number;
}

type Results<Result> = Map<RegistryName, Readonly<Partial<Record<ContenderName, Result>>>>;

export const suite: Suite = {
  description: 'following Consul, ZooKeeper and etcd, against the plain clients',
  async run(context) {
    const singles: Results<SingleChanges> = new Map();
    const steadies: Results<SteadyChanges> = new Map();
    for (const registry of REGISTRIES) {
      const options = { size: SMALL, contenders: CONTENDERS };
      const single = await withScene(registry, options, (running, followers) =>
        singleChanges(running, followers, context),
      );
      if (single === undefined) {
        context.print(`${registry.name}: its server is not installed, left out`);
        continue;
      }
      singles.set(registry.name, single);
      const steady: Partial<Record<ContenderName, SteadyChanges>> = {};
      for (const contender of CONTENDERS) {
        const result = await withScene(
          registry,
          { size: LARGE, contenders: [contender] },
          (running, followers) => steadyChanges(running, followers[contender] as Follower, context),
        );
        if (result !== undefined) steady[contender] = result;
      }
      steadies.set(registry.name, steady);
    }
    print(context, singles, steadies);
    return figuresOf(singles, steadies);
  },
};

/** One instance joins, then leaves, again and again, before the eyes of all contenders. */
async function singleChanges(
  registry: RunningRegistry,
  followers: Followers,
  { quick }: SuiteContext,
): Promise<Record<ContenderName, SingleChanges>> {
  const warmUps = quick ? 2 : 10;
  const rounds = quick ? 10 : 120;
  const all = Object.entries(followers) as [ContenderName, Follower][];
  const times = new Map(all.map(([name]): [ContenderName, number[]] => [name, []]));
  const bytesBefore = new Map<ContenderName, number>();
  for (let round = -warmUps; round < rounds; round += 1) {
    await pause(QUIET_MS);
    if (round === 0) for (const [name, { relay }] of all) bytesBefore.set(name, relay.byteCount);
    const listed = round % 2 === 0;
    const seen = all.map(([, { client }]) =>
      client.ask({ kind: 'expect', id: idOf(COMER.host), listed }),
    );
    const calledMs = nowMs();
    await (listed ? registry.put(COMER) : registry.remove(COMER));
    for (const [index, [name]] of all.entries()) {
      const atMs = (await seen[index])?.atMs ?? Number.NaN;
      if (round >= 0) times.get(name)?.push(atMs - calledMs);
    }
  }
  await pause(QUIET_MS);
  const results = all.map(([name, { relay }]): [ContenderName, SingleChanges] => {
    const sorted = (times.get(name) ?? []).sort((a, b) => a - b);
    return [
      name,
      {
        p50Ms: median(sorted),
        p99Ms: sorted[Math.ceil(0.99 * sorted.length) - 1] as number,
        bytesPerChange: (relay.byteCount - (bytesBefore.get(name) ?? 0)) / rounds,
      },
    ];
  });
  return Object.fromEntries(results) as Record<ContenderName, SingleChanges>;
}

/** Weights change at a steady rate, whether the client follows or not. */
async function steadyChanges(
  registry: RunningRegistry,
  { relay, client, readyMs }: Follower,
  { quick }: SuiteContext,
): Promise<SteadyChanges> {
  const writer = startWriting(registry);
  // After the first reading our client rests in proportion to its size. It follows once it has seen what came later.
  const seen = client.ask({ kind: 'expect', id: idOf(COMER.host), listed: true });
  await registry.put(COMER);
  await seen;
  await pause(quick ? 0 : 2_000);
  await client.ask({ kind: 'begin' });
  const [writtenBefore, bytesBefore] = [writer.written(), relay.byteCount];
  await pause(quick ? 3_000 : 15_000);
  const [changes, bytes] = [writer.written() - writtenBefore, relay.byteCount - bytesBefore];
  const { cpuMs, wallMs, changeCount, memoryMiB, residentMiB } = await client.ask({ kind: 'end' });
  await writer.stop();
  return {
    cpuPercent: (cpuMs / wallMs) * 100,
    memoryMiB,
    residentMiB,
    readyMs,
    changesPerSecond: (changes * 1_000) / wallMs,
    deliveredPerSecond: (changeCount * 1_000) / wallMs,
    bytesPerChange: bytes / changes,
  };
}

interface Writer {
  /** Changes that the registry has taken. */
  written(): number;
  stop(): Promise<void>;
}

function startWriting(registry: RunningRegistry): Writer {
  let written = 0;
  let isOver = false;
  const calls = new Set<Promise<void>>();
  const write = async (): Promise<void> => {
    const beganMs = performance.now();
    for (let begun = 0; !isOver; begun += 1) {
      const host = hostOf((begun * 7_919) % LARGE);
      const call = registry.put({ host, weight: 1 + (begun % 50) }).then(() => {
        written += 1;
        calls.delete(call);
      });
      calls.add(call);
      // As many as the time that has passed is worth, and never more under way than in half a second.
      const nextMs = beganMs + ((begun + 1) * 1_000) / CHANGES_PER_SECOND;
      await pause(Math.max(0, nextMs - performance.now()));
      if (calls.size >= CHANGES_PER_SECOND / 2) await Promise.race(calls);
    }
    await Promise.all(calls);
  };
  const writing = write();
  return {
    written: () => written,
    stop: async () => {
      isOver = true;
      await writing;
    },
  };
}

/** One row for each contender of each registry. */
function rowsOf<Result>(
  results: Results<Result>,
  cells: (result: Result) => readonly number[],
): (readonly (string | number)[])[] {
  return [...results].flatMap(([registry, byContender]) =>
    (Object.entries(byContender) as [ContenderName, Result][]).map(([name, result]) => [
      `${registry}, ${name}`,
      ...cells(result),
    ]),
  );
}

function print(
  { print: write }: SuiteContext,
  singles: Results<SingleChanges>,
  steadies: Results<SteadyChanges>,
): void {
  write(`one instance of ${SMALL} joins or leaves, from the call to the new picker`);
  write(
    formatTable(
      ['', 'p50 ms', 'p99 ms', 'bytes per change'],
      rowsOf(singles, ({ p50Ms, p99Ms, bytesPerChange }) => [p50Ms, p99Ms, bytesPerChange]),
    ),
  );
  write(`\n${LARGE} instances, of which ${CHANGES_PER_SECOND} change per second`);
  const columns = ['CPU %', 'heap MiB', 'resident MiB', 'start ms', 'changes/s', 'delivered/s'];
  write(
    formatTable(
      ['', ...columns, 'bytes per change'],
      rowsOf(steadies, (steady) => [
        ...[steady.cpuPercent, steady.memoryMiB, steady.residentMiB, steady.readyMs],
        ...[steady.changesPerSecond, steady.deliveredPerSecond, steady.bytesPerChange],
      ]),
    ),
  );
}

/**
 * Those of this library, and, after `/plain`, what they are to those of the plain client. Not so memory: the plain
 * contenders keep addresses only, this library a cluster that can be picked from.
 */
function figuresOf(singles: Results<SingleChanges>, steadies: Results<SteadyChanges>): Figures {
  const figures: Record<string, number> = {};
  for (const [name, { evenkeel, plain }] of singles) {
    if (evenkeel === undefined || plain === undefined) continue;
    figures[`${name}-change-p50-ms`] = evenkeel.p50Ms;
    figures[`${name}-change-p99-ms`] = evenkeel.p99Ms;
    figures[`${name}-bytes-per-change`] = evenkeel.bytesPerChange;
    figures[`${name}-change-p50/plain`] = evenkeel.p50Ms / plain.p50Ms;
    figures[`${name}-bytes-per-change/plain`] = evenkeel.bytesPerChange / plain.bytesPerChange;
  }
  for (const [name, { evenkeel, plain }] of steadies) {
    if (evenkeel === undefined || plain === undefined) continue;
    figures[`${name}-cpu-percent@10000`] = evenkeel.cpuPercent;
    figures[`${name}-memory-mib@10000`] = evenkeel.memoryMiB;
    figures[`${name}-resident-mib@10000`] = evenkeel.residentMiB;
    figures[`${name}-bytes-per-change@10000`] = evenkeel.bytesPerChange;
    figures[`${name}-cpu@10000/plain`] = evenkeel.cpuPercent / plain.cpuPercent;
  }
  return figures;
}
