import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { Controller } from './handler.ts';
import { FakeAdmission } from './test-support/fake-admission.ts';
import { FakeCluster } from './test-support/fake-cluster.ts';

/** Everything that can happen to a try, in any order: undici's promises are not ours to rely on. */
const EVENTS = [
  'start',
  'sent',
  'informational',
  'good headers',
  'bad headers',
  'data',
  'end',
  'error before',
  'socket error',
  'caller error',
  'upgrade',
  'refused upgrade',
  'socket closes',
  'abandon',
  'discard',
  'time',
] as const;
type Event = (typeof EVENTS)[number];

function play(events: readonly Event[], streaming: boolean) {
  const runtime = createManualRuntime();
  const admission = new FakeAdmission();
  const cluster = new FakeCluster({
    endpoints: ['127.0.0.1:1'],
    clock: runtime.clock,
    admission,
    usesLoadReports: true,
  });
  const heard: string[] = [];
  const hear = (what: string) => () => void heard.push(what);
  const owner: AttemptOwner = {
    cluster,
    host: { runtime, destroyed: false },
    streaming,
    onBodySent: hear('bodySent'),
    onRequestSent: hear('requestSent'),
    onResponseStarted: hear('responseStarted'),
    onHeaders: hear('headers'),
    onData: hear('data'),
    onEnd: hear('end'),
    onUpgraded: hear('upgraded'),
    onFailed: hear('failed'),
  };
  const controller: Controller = {
    aborted: false,
    paused: false,
    reason: null,
    rawHeaders: [],
    rawTrailers: [],
    abort: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
  };
  const socket = Object.assign(new EventEmitter(), {
    destroy: () => undefined,
  }) as unknown as Duplex;
  const attempt = new Attempt(owner, 0, runtime.clock.nowMs());
  attempt.extra = admission.tryExtra();
  if (admission.enter(0)) attempt.waitsWell();
  const silent = { attempt, heard, cluster, admission, quietFrom: Number.POSITIVE_INFINITY };
  for (const event of events) {
    switch (event) {
      case 'start':
        try {
          attempt.onRequestStart(controller);
        } catch {
          // An abandoned try refuses to begin.
        }
        break;
      case 'sent':
        attempt.onRequestSent();
        break;
      case 'informational':
        attempt.onResponseStart(controller, 103, {});
        break;
      case 'good headers':
        attempt.onResponseStart(controller, 200, {});
        break;
      case 'bad headers':
        attempt.onResponseStart(controller, 503, { 'retry-after': '1' });
        break;
      case 'data':
        attempt.onResponseData(controller, Buffer.alloc(10));
        break;
      case 'end':
        attempt.onResponseEnd(controller, {});
        break;
      case 'error before':
        attempt.onResponseError(null, Object.assign(new Error(), { code: 'ECONNREFUSED' }));
        break;
      case 'socket error':
        attempt.onResponseError(controller, Object.assign(new Error(), { code: 'UND_ERR_SOCKET' }));
        break;
      case 'caller error':
        attempt.onResponseError(controller, new TypeError());
        break;
      case 'upgrade':
        attempt.onRequestUpgrade(controller, 101, {}, socket);
        break;
      case 'refused upgrade':
        attempt.onRequestUpgrade(controller, 502, {}, socket);
        break;
      case 'socket closes':
        socket.emit('close');
        break;
      case 'abandon':
        attempt.abandon(Outcome.cancelled, new Error('stop'));
        silent.quietFrom = Math.min(silent.quietFrom, heard.length);
        break;
      case 'discard':
        attempt.discard();
        silent.quietFrom = Math.min(silent.quietFrom, heard.length);
        break;
      case 'time':
        runtime.scheduler.advance(5);
        break;
    }
  }
  return silent;
}

describe('Attempt, whatever happens in whatever order', () => {
  const history = fc.array(fc.constantFrom(...EVENTS), { maxLength: 14 });

  it('counts the request once and ends the count at most once; an end, error or abandoning always ends it', () => {
    fc.assert(
      fc.property(history, fc.boolean(), (events, streaming) => {
        const { cluster } = play(events, streaming);
        const finished = cluster.log.filter((line) => line.startsWith('finish')).length;
        expect(cluster.log.filter((line) => line.startsWith('start')).length).toBe(1);
        expect(finished).toBeLessThanOrEqual(1);
        expect(cluster.activeCount).toBe(1 - finished);
        const ends: readonly Event[] = [
          'end',
          'error before',
          'socket error',
          'caller error',
          'abandon',
          'discard',
        ];
        // After an upgrade, the end is that of the socket.
        const upgraded = events.includes('upgrade');
        if (!upgraded && events.some((event) => ends.includes(event))) expect(finished).toBe(1);
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });

  it('gives back to admission what it took, exactly when the cluster hears of its end', () => {
    fc.assert(
      fc.property(history, fc.boolean(), (events, streaming) => {
        const { admission, cluster } = play(events, streaming);
        const running = cluster.activeCount;
        expect(admission.open).toMatchObject({ tries: running, extra: running });
        expect(admission.open.pending).toBeLessThanOrEqual(running);
      }),
      { seed: 8, numRuns: 2_000 },
    );
  });

  it('tells its owner nothing once it was abandoned or discarded', () => {
    fc.assert(
      fc.property(history, (events) => {
        const { heard, quietFrom } = play(events, false);
        expect(heard.length).toBeLessThanOrEqual(
          quietFrom === Number.POSITIVE_INFINITY ? heard.length : quietFrom,
        );
      }),
      { seed: 6, numRuns: 2_000 },
    );
  });

  it('reports latencies that are never negative, at most one per request', () => {
    fc.assert(
      fc.property(history, fc.boolean(), (events, streaming) => {
        const { cluster } = play(events, streaming);
        for (const latencyMs of cluster.latencies) expect(latencyMs).toBeGreaterThanOrEqual(0);
      }),
      { seed: 7, numRuns: 2_000 },
    );
  });
});
