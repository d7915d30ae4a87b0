/**
 * Servers that tell how busy they are, and two policies that listen: one of three machines can do four times as much as
 * the others, and nobody has configured that.
 *
 * Run: node --conditions=@evenkeel/source examples/load-reports.ts
 */
import { createCluster } from '@evenkeel/core';
import { createLoadReporter, createProbeHandler } from '@evenkeel/core/load-report';
import { createDispatcher } from '@evenkeel/core/undici';
import { type SampleServers, startServers } from './support/servers.ts';

/** Has so many workers; a request keeps one of them for 5 ms. */
class Machine {
  readonly #workerCount: number;
  readonly #waiting: (() => void)[] = [];
  #idleCount: number;
  #workedMs = 0;
  #askedAtMs = performance.now();

  constructor(workerCount: number) {
    this.#workerCount = workerCount;
    this.#idleCount = workerCount;
  }

  async work(): Promise<void> {
    if (this.#idleCount === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#idleCount--;
    const fromMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.#workedMs += performance.now() - fromMs;
    const next = this.#waiting.shift();
    if (next === undefined) this.#idleCount++;
    else next();
  }

  /** Part of the workers that were at work since this was asked last. */
  busyRatio(): number {
    const nowMs = performance.now();
    const ratio = this.#workedMs / (nowMs - this.#askedAtMs) / this.#workerCount;
    this.#workedMs = 0;
    this.#askedAtMs = nowMs;
    return ratio;
  }
}

const names = ['alder', 'beech', 'cedar'];
const servers = await startMachines([2, 2, 8]);

// How long reports must have come before they count, and how often: both short, because this ends after a second.
await play({ name: 'orca-weighted', blackoutMs: 300, updateMs: 100 });
await play({ name: 'prequal' });
await servers.close();

async function play(policy: {
  name: string;
  blackoutMs?: number;
  updateMs?: number;
}): Promise<void> {
  const users = createCluster({ name: 'users', discovery: servers.addresses, policy });
  const dispatcher = createDispatcher({ clusters: [users] });
  const ask = async (): Promise<string> => {
    const response = await fetch('http://users/', { dispatcher } as RequestInit);
    return response.text();
  };
  await drive(ask, 1_000);
  const answers = await drive(ask, 1_000);
  const share = (name: string): string => {
    const count = answers.filter((answer) => answer === name).length;
    return `${name} ${Math.round((count * 100) / answers.length)} %`;
  };
  console.log(`${policy.name}: ${names.map(share).join(', ')}`);
  const { candidates } = users.explain();
  for (const { id, reason } of candidates)
    console.log(`  ${names[servers.addresses.indexOf(id)]}: ${reason}`);
  console.log(`  ${JSON.stringify(users.snapshot().policyStats)}`);
  await dispatcher.close();
  await users.close();
}

/** Ten callers for some time, each with one request at a time. */
async function drive(ask: () => Promise<string>, durationMs: number): Promise<string[]> {
  const answers: string[] = [];
  const endMs = performance.now() + durationMs;
  const call = async (): Promise<void> => {
    while (performance.now() < endMs) answers.push(await ask());
  };
  await Promise.all(Array.from({ length: 10 }, call));
  return answers;
}

/** A server on each machine, with a report on every answer. */
function startMachines(workers: readonly number[]): Promise<SampleServers> {
  return startServers(
    workers.map((count, index) => {
      const machine = new Machine(count);
      const reporter = createLoadReporter({
        windowMs: 300,
        utilization: () => machine.busyRatio(),
      });
      const probe = createProbeHandler(reporter);
      const application = reporter.wrap(async (_request, response) => {
        await machine.work();
        response.end(names[index]);
      });
      return (request, response) => probe(request, response) || application(request, response);
    }),
  );
}
