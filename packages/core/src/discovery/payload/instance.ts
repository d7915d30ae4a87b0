import type { Endpoint } from '../../model/endpoint.ts';

/** What a node says. */
export interface Instance {
  readonly endpoint: Endpoint;
  /** False: it says of itself that it is not to be used. */
  readonly usable: boolean;
}

/** How an instance is written into the data of its node. */
export type PayloadFormat = 'host-port' | 'json' | 'serverset' | 'curator';

export const PAYLOAD_FORMATS: readonly ['host-port', 'json', 'serverset', 'curator'] = [
  'host-port',
  'json',
  'serverset',
  'curator',
];
