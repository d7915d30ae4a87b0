/** A configuration that changes a hundred times under load: no request is dropped, and none gets another one's answer. */
import { describe, expect, it } from 'vitest';
import { runReloads } from '../../../../test/support/reload/reload-run.ts';

/** `npm run bench -- reload` asks a million; so can this. */
const REQUESTS = Number(process.env['EVENKEEL_RELOAD_REQUESTS'] ?? 150_000);
const RELOADS = 100;

describe('under load', () => {
  it(`${REQUESTS} requests over ${RELOADS} configurations are answered, each as it has to be`, async () => {
    const result = await runReloads({ requests: REQUESTS, reloads: RELOADS });
    expect(result.wrong).toEqual([]);
    expect(result).toMatchObject({
      requests: REQUESTS,
      failed: 0,
      mixedUp: 0,
      reloads: RELOADS,
      endpointChanges: RELOADS,
      leftOver: {
        clients: 0,
        activeRequests: 0,
        meters: 0,
        busyConnections: 0,
        clusterRequests: 0,
      },
    });
    // Each request has one line, in the log of its configuration.
    expect(result.logLines).toBe(REQUESTS);
  });
});
