/** A request was refused here, before anything was sent. */
import { type ErrorCode, EvenkeelError } from '../error/evenkeel-error.ts';

/** Who refused it. */
export type AdmissionReason =
  | 'threshold'
  | 'concurrency-limit'
  | 'load-shedding'
  | 'client-throttle'
  | 'rate-limit'
  | 'circuit-open';

const CODES = {
  threshold: 'EVENKEEL_OVERLOADED',
  'concurrency-limit': 'EVENKEEL_OVERLOADED',
  'load-shedding': 'EVENKEEL_OVERLOADED',
  'client-throttle': 'EVENKEEL_OVERLOADED',
  'rate-limit': 'EVENKEEL_RATE_LIMITED',
  'circuit-open': 'EVENKEEL_CIRCUIT_OPEN',
} as const satisfies Record<AdmissionReason, ErrorCode>;

const TEXTS = {
  threshold: 'too much is open already',
  'concurrency-limit': 'as many requests are in flight as the endpoints can take',
  'load-shedding': 'more critical requests need the capacity',
  'client-throttle': 'too many requests have been refused lately',
  'rate-limit': 'the rate limit is reached',
  'circuit-open': 'the circuit is open',
} as const;

/** Who refuses to protect others from a flood would get the flood back as retries. */
const RETRYABLE: ReadonlySet<AdmissionReason> = new Set([
  'threshold',
  'concurrency-limit',
  'rate-limit',
  'circuit-open',
]);

export interface AdmissionDetails {
  /** The cluster concerned. */
  readonly cluster?: string | undefined;
  /** What of it, if not the whole: an endpoint, a key, a kind of threshold. */
  readonly subject?: string | undefined;
  /** When it is worth trying again. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Refused for a reason that may pass. `retryable` says whether trying elsewhere or later makes sense: not after load
 * shedding and client-side throttling, whose point is to have fewer requests.
 */
export class AdmissionError extends EvenkeelError {
  readonly reason: AdmissionReason;
  readonly retryAfterMs: number | undefined;

  constructor(reason: AdmissionReason, details: AdmissionDetails = {}) {
    const { cluster, subject, retryAfterMs } = details;
    const place = [
      ...(cluster === undefined ? [] : [`cluster '${cluster}'`]),
      ...(subject === undefined ? [] : [subject]),
    ].join(', ');
    super(CODES[reason], `${place === '' ? '' : `${place}: `}${TEXTS[reason]}`, {
      cluster,
      retryable: RETRYABLE.has(reason),
    });
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
