import { EvenkeelError } from './evenkeel-error.ts';

/** Why no endpoint could be picked. */
export type PickFailure = 'not-ready' | 'no-endpoints' | 'no-eligible-endpoint' | 'closed';

const CODES = {
  'not-ready': 'EVENKEEL_NOT_READY',
  'no-endpoints': 'EVENKEEL_NO_ENDPOINTS',
  'no-eligible-endpoint': 'EVENKEEL_NO_ELIGIBLE_ENDPOINT',
  closed: 'EVENKEEL_CLOSED',
} as const;

const TEXTS = {
  'not-ready': 'discovery has not delivered an endpoint set yet',
  'no-endpoints': 'the endpoint set is empty',
  'no-eligible-endpoint':
    'no endpoint may take this request: all are excluded, draining, disabled, of weight 0 or outside of the subset',
  closed: 'the cluster is closed',
} as const;

/** No endpoint could be picked. Retryable, except after `close()`: membership may change. */
export class PickError extends EvenkeelError {
  readonly failure: PickFailure;

  constructor(cluster: string, failure: PickFailure) {
    super(CODES[failure], `cluster '${cluster}': ${TEXTS[failure]}`, {
      cluster,
      retryable: failure !== 'closed',
    });
    this.failure = failure;
  }
}
