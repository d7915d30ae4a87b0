/** Why requests are answered here instead of by an endpoint. */
export const REFUSALS = [
  /** A message that breaks a rule of HTTP, or is larger than a limit. */
  'bad-request',
  /** A request that did not come whole in time. */
  'request-timeout',
  /** CONNECT. */
  'method',
  /** `via` names this proxy as often as `limits.maxPasses` allows. */
  'loop',
  'no-route',
  /** A body that is larger than the route allows. */
  'body-too-large',
  /** A function of the configuration threw. */
  'internal',
  /** A hook of a filter threw, or what it gave back cannot be sent. */
  'filter-failed',
  /** A filter took longer than an endpoint may. */
  'filter-timeout',
  /** The admission of the cluster. */
  'admission',
  /** No endpoint may be picked. */
  'no-endpoint',
  /** As many requests as may wait for a connection of the endpoint. */
  'queue-full',
  /** No complete response, after all tries. */
  'upstream-failed',
  /** No response in time, after all tries. */
  'upstream-timeout',
] as const;

export type Refusal = (typeof REFUSALS)[number];

export function isRefusal(reason: string): reason is Refusal {
  return (REFUSALS as readonly string[]).includes(reason);
}

export type RefusalCounts = Record<Refusal, number>;

export function noRefusals(): RefusalCounts {
  return Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as RefusalCounts;
}
