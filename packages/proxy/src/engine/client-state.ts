/**
 * Where a client's connection stands.
 *
 * ```text
 *  idle ─► head ─► asking ─► body ─► waiting ─► idle      asking: filters take their time
 *    ▲                                 │  └──► tunnel     waiting: the request is complete, its response is not
 *    └─────────────────────────────────┘                  tunnel: after a switch of protocols
 *  lingering: the last response is sent, and what still comes is read and dropped, or a RST would take the response
 *  away from a client that has not read it yet (RFC 9112 section 9.6)
 * ```
 */
export const State = {
  idle: 0,
  head: 1,
  body: 2,
  waiting: 3,
  tunnel: 4,
  lingering: 5,
  closed: 6,
  asking: 7,
} as const;

export type State = (typeof State)[keyof typeof State];
