import { Outcome } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import { XorShift128 } from '../../runtime/random.ts';
import type { PolicyOptions } from '../policy.ts';
import { createPolicy } from '../standalone.ts';

/** How a backend answers. Without queueing: its times do not depend on its load. */
export type Backend =
  | { readonly kind: 'healthy' }
  /** `factor` times the normal service time. */
  | { readonly kind: 'slow'; readonly factor: number }
  /** Answers with a server error after 1 ms. */
  | { readonly kind: 'fails-fast' }
  /** Never answers: the client gives up after its timeout of 1 s. */
  | { readonly kind: 'silent' }
  /** Never answers, and the client has no timeout. */
  | { readonly kind: 'hung' }
  /** As healthy, but fails a share of the requests after the normal time. */
  | { readonly kind: 'flaky'; readonly failureRatio: number };

export interface ClientSimulation {
  readonly policy: PolicyOptions;
  readonly backends: readonly Backend[];
  readonly requestsPerSecond: number;
  readonly durationMs: number;
  readonly seed: number;
}

export interface SimulationResult {
  readonly requestCount: number;
  readonly errorRatio: number;
  readonly p99Ms: number;
  /** Share of the requests, by backend. */
  readonly shares: readonly number[];
  /** Requests by backend whose start lies in [fromMs, toMs), as a share of those of the time. */
  shareBetween(backend: number, fromMs: number, toMs: number): number;
}

/** Mean service time: 50 ms * (0.5 + 0.5 * Exp(1)). */
export const MEAN_SERVICE_MS = 50;
const TIMEOUT_MS = 1_000;
const FAST_FAILURE_MS = 1;

interface Request {
  readonly backend: number;
  readonly slot: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: Outcome;
}

/**
 * One client with Poisson arrivals in front of backends without queues: the second model of the sinkhole study, for
 * orders and margins rather than absolute times. Virtual time, and streams of their own for arrivals, work and picks, so
 * that policies meet the same arrivals.
 */
export function simulateClient(options: ClientSimulation): SimulationResult {
  const { backends, requestsPerSecond, durationMs, seed } = options;
  const ids = backends.map((_, index) => `10.0.0.${index}:80`);
  const policy = createPolicy(options.policy, {
    endpoints: ids,
    random: new XorShift128(seed),
    clock: { nowMs: () => Number.NaN, wallMs: () => Number.NaN },
  });
  const arrivals = new XorShift128(seed + 1_000);
  const work = new XorShift128(seed + 2_000);
  const running: Request[] = [];
  const all: Request[] = [];
  let nowMs = (exponential(arrivals) * 1_000) / requestsPerSecond;
  for (; nowMs < durationMs; nowMs += (exponential(arrivals) * 1_000) / requestsPerSecond) {
    endUntil(nowMs);
    const slot = policy.pick({}, nowMs);
    if (slot === NO_SLOT) throw new Error('no endpoint picked');
    policy.start(slot, nowMs);
    const backend = ids.indexOf(policy.endpoint(slot)?.id ?? '');
    const { durationMs: serviceMs, outcome } = serve(backends[backend], work);
    const request = { backend, slot, startMs: nowMs, endMs: nowMs + serviceMs, outcome };
    insertByEnd(running, request);
    all.push(request);
  }
  return resultOf(all, backends.length);

  function endUntil(timeMs: number): void {
    for (
      let next = running.at(-1);
      next !== undefined && next.endMs <= timeMs;
      next = running.at(-1)
    ) {
      running.pop();
      policy.finish(next.slot, next.outcome, next.endMs - next.startMs, next.endMs);
    }
  }
}

/** Keeps the list sorted, the earliest end last. */
function insertByEnd(running: Request[], request: Request): void {
  let at = running.length;
  while (at > 0 && (running[at - 1] as Request).endMs < request.endMs) at--;
  running.splice(at, 0, request);
}

function serve(
  backend: Backend | undefined,
  random: XorShift128,
): { readonly durationMs: number; readonly outcome: Outcome } {
  const serviceMs = MEAN_SERVICE_MS * (0.5 + 0.5 * exponential(random));
  const luck = unit(random);
  switch (backend?.kind) {
    case 'slow':
      return { durationMs: serviceMs * backend.factor, outcome: Outcome.success };
    case 'fails-fast':
      return { durationMs: FAST_FAILURE_MS, outcome: Outcome.serverError };
    case 'silent':
      return { durationMs: TIMEOUT_MS, outcome: Outcome.timeout };
    case 'hung':
      return { durationMs: Number.POSITIVE_INFINITY, outcome: Outcome.timeout };
    case 'flaky':
      return {
        durationMs: serviceMs,
        outcome: luck < backend.failureRatio ? Outcome.serverError : Outcome.success,
      };
    case 'healthy':
    case undefined:
      return { durationMs: serviceMs, outcome: Outcome.success };
  }
}

function resultOf(requests: readonly Request[], backendCount: number): SimulationResult {
  const count = requests.length;
  const times = requests.map(({ startMs, endMs }) => endMs - startMs).sort((a, b) => a - b);
  const failed = requests.filter(({ outcome }) => outcome !== Outcome.success).length;
  const shareOf = (backend: number, among: readonly Request[]): number =>
    among.filter((request) => request.backend === backend).length / among.length;
  return {
    requestCount: count,
    errorRatio: failed / count,
    p99Ms: times[Math.floor(count * 0.99)] ?? 0,
    shares: Array.from({ length: backendCount }, (_, backend) => shareOf(backend, requests)),
    shareBetween: (backend, fromMs, toMs) =>
      shareOf(
        backend,
        requests.filter(({ startMs }) => startMs >= fromMs && startMs < toMs),
      ),
  };
}

function unit(random: XorShift128): number {
  return ((random.nextInt32() >>> 0) + 0.5) / 2 ** 32;
}

function exponential(random: XorShift128): number {
  return -Math.log(unit(random));
}
