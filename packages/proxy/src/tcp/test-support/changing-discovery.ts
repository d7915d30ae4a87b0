import { type Discovery, endpointSetOf, type ResolverListener } from '@evenkeel/core';

export interface ChangingDiscovery extends Discovery {
  /** Hands over another set. */
  deliver(ports: readonly number[]): void;
}

/** Discovery whose set a test changes. */
export function changingDiscovery(ports: readonly number[]): ChangingDiscovery {
  let listener: ResolverListener | undefined = undefined;
  const setOf = (of: readonly number[]): ReturnType<typeof endpointSetOf> =>
    endpointSetOf(of.map((port) => `127.0.0.1:${port}`));
  return {
    kind: 'changing',
    create: () => ({
      start: (to) => {
        listener = to;
        to.onEndpoints(setOf(ports));
      },
      refresh: () => undefined,
      status: () => ({
        kind: 'changing',
        source: 'a test',
        healthy: true,
        lastSuccessMs: undefined,
        lastError: undefined,
        refreshCount: 0,
        errorCount: 0,
      }),
      close: () => Promise.resolve(),
    }),
    deliver: (next) => listener?.onEndpoints(setOf(next)),
  };
}
