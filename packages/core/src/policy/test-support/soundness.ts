import fc from 'fast-check';
import { expect } from 'vitest';
import { Outcome, RESPONDED } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import type { StandalonePolicy } from '../standalone.ts';
import { endpointsOf } from './keyed.ts';

const SIXTY_FOUR = endpointsOf(64);

/** What can happen to a policy. */
export type Event =
  | { readonly kind: 'pick'; readonly exclude: readonly number[] | undefined }
  | { readonly kind: 'respond' | 'pushback'; readonly which: number }
  | { readonly kind: 'finish'; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'update'; readonly from: number; readonly count: number };

const which = fc.nat(1_000);
/** Any event, also time that goes back and months that pass. */
export const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('pick' as const),
      exclude: fc.option(fc.array(fc.nat(40), { maxLength: 3 }), { nil: undefined }),
    }),
  },
  fc.record({ kind: fc.constantFrom('respond' as const, 'pushback' as const), which }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      which,
      outcome: fc.constantFrom(...Object.values(Outcome)),
    }),
  },
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 40, 5_000, -3, 1e10) }),
  fc.record({
    kind: fc.constant('update' as const),
    from: fc.nat(30),
    count: fc.constantFrom(0, 1, 2, 5, 33),
  }),
);

/** Runs the events on a policy over the first three of the endpoints; at every pick and at the end all must be in order. */
export function expectSound(policy: StandalonePolicy, events: readonly Event[]): void {
  let nowMs = 100;
  let members = SIXTY_FOUR.slice(0, 3);
  const running: { slot: number; startMs: number; responded: boolean }[] = [];
  const take = (which: number): (typeof running)[number] | undefined =>
    running[which % Math.max(1, running.length)];
  for (const event of events) {
    switch (event.kind) {
      case 'wait':
        nowMs += event.ms;
        break;
      case 'update':
        members = SIXTY_FOUR.slice(event.from, event.from + event.count);
        policy.update(members);
        break;
      case 'pick': {
        const slot = policy.pick({ exclude: event.exclude, hashKey: `${nowMs}` }, nowMs);
        if (slot === NO_SLOT) {
          const left = members.filter(
            ({ address = '' }) => event.exclude?.includes(policy.slotOf(address)) !== true,
          );
          expect(left).toEqual([]);
          break;
        }
        expect(event.exclude ?? []).not.toContain(slot);
        expect(members.map(({ address }) => address)).toContain(policy.endpoint(slot)?.id);
        policy.start(slot, nowMs);
        running.push({ slot, startMs: nowMs, responded: false });
        break;
      }
      case 'respond': {
        const request = take(event.which);
        if (request === undefined || request.responded) break;
        request.responded = true;
        policy.respond(request.slot, nowMs - request.startMs, nowMs);
        break;
      }
      case 'pushback': {
        const request = take(event.which);
        if (request !== undefined) policy.pushback(request.slot, 2_000, nowMs);
        break;
      }
      case 'finish': {
        const request = take(event.which);
        if (request === undefined) break;
        running.splice(running.indexOf(request), 1);
        const latencyMs = request.responded ? RESPONDED : nowMs - request.startMs;
        policy.finish(request.slot, event.outcome, latencyMs, nowMs);
        break;
      }
    }
  }
  for (const { slot, startMs } of running)
    policy.finish(slot, Outcome.success, nowMs - startMs, nowMs);
  expect(policy.load.totalActiveCount()).toBe(0);
  const explained = policy.explain({}, nowMs);
  expect(explained).toHaveLength(members.length);
  for (const { score, shareRatio } of explained) {
    if (score !== undefined) expect(Number.isFinite(score)).toBe(true);
    if (shareRatio !== undefined) expect(shareRatio).toBeLessThanOrEqual(1 + 1e-9);
  }
}
