import { join } from 'node:path';
import { Child } from '../../support/child.ts';
import type { ClientReply, ClientRequest } from './client.ts';
import { type BenchRegistry, INSTANCE_PORT, type RunningRegistry } from './registry.ts';
import { Relay } from './relay.ts';
import type { ContenderName } from './subject.ts';

/** A contender with what it has for itself. */
export interface Follower {
  readonly relay: Relay;
  readonly client: Child<ClientRequest, ClientReply>;
  /** From its start until it knew every instance. */
  readonly readyMs: number;
}

export type Followers = Readonly<Partial<Record<ContenderName, Follower>>>;

export interface SceneOptions {
  /** Instances that are there at first. */
  readonly size: number;
  readonly contenders: readonly ContenderName[];
}

/** `10.0.0.0` and so on. */
export const hostOf = (number: number): string =>
  `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
export const idOf = (host: string): string => `${host}:${INSTANCE_PORT}`;
export const pause = (durationMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, durationMs));
/** Comparable between processes. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/**
 * A fresh server with instances, and fresh contenders that know them, each in a process of its own behind a relay of its
 * own.
 *
 * @returns undefined when the server is not installed
 */
export async function withScene<Result>(
  bench: BenchRegistry,
  { size, contenders }: SceneOptions,
  run: (registry: RunningRegistry, followers: Followers) => Promise<Result>,
): Promise<Result | undefined> {
  const registry = await bench.start();
  if (registry === undefined) return undefined;
  const followers: Partial<Record<ContenderName, Follower>> = {};
  try {
    await registry.fill(
      Array.from({ length: size }, (_, number) => ({ host: hostOf(number), weight: 1 })),
    );
    for (const contender of contenders) {
      const relay = await Relay.start(registry.port);
      const client: Follower['client'] = new Child(join(import.meta.dirname, 'client.ts'), {
        execArgv: ['--expose-gc'],
      });
      followers[contender] = { relay, client, readyMs: 0 };
      const beganMs = nowMs();
      const { atMs } = await client.ask({
        ...{ kind: 'start', registry: bench.name, contender, port: relay.port, size },
      });
      followers[contender] = { relay, client, readyMs: atMs - beganMs };
    }
    return await run(registry, followers);
  } finally {
    for (const { client, relay } of Object.values(followers)) {
      await client.close();
      await relay.close();
    }
    await registry.stop();
  }
}
