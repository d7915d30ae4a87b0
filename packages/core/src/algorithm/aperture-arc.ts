import { checkInteger } from './check.ts';

export interface ApertureOptions {
  /** Number of this client among its peers, 0 to `peerCount - 1`: all must agree on the order. */
  readonly peerIndex: number;
  /** Clients that share the endpoints, 1 to 10 million. */
  readonly peerCount: number;
  /** Endpoints, in an order that all clients agree on, 0 to 10 million. */
  readonly endpointCount: number;
  /** Endpoints that this client should at least be connected to, 1 or more. Finagle's default 12. */
  readonly aperture: number;
}

/** A part of the circle of endpoints. */
export interface ApertureArc {
  /** Endpoints on the arc, each once, in the order of the circle. */
  readonly endpoints: Int32Array;
  /** The part of each endpoint that lies on the arc, above 0 and at most 1: its weight for this client. */
  readonly weights: Float64Array;
}

/** Keeps `peerCount * endpointCount` an exact integer. */
const MAX_COUNT = 10_000_000;

/**
 * Deterministic aperture (Finagle, `DeterministicAperture`): which endpoints a client uses when there are too many to
 * use all, so that every endpoint ends up with exactly the same load from all clients together.
 *
 * Clients and endpoints divide the same circle into equal parts. Client i begins at i / peerCount and covers an arc as
 * wide as `aperture` endpoints, rounded up to whole client parts. Since all arcs are m client parts wide and begin one
 * part apart, every point of the circle lies on exactly m arcs. Endpoints at the ends of an arc belong to it in part:
 *
 * ```text
 * endpoints  |---- 0 ----|---- 1 ----|---- 2 ----|---- 3 ----|     4 endpoints, 6 clients, aperture 2
 * clients    |-- 0 --|-- 1 --|-- 2 --|-- 3 --|-- 4 --|-- 5 --|
 * client 1           [=======================)                     0: 1/3, 1: 1, 2: 2/3
 * ```
 *
 * A random subset of small size can leave an endpoint without any client. The whole computation is on integers in units
 * of 1 / (peerCount * endpointCount) of the circle, so the weights of all clients add up exactly.
 *
 * @throws RangeError, TypeError for options out of range
 */
export function apertureArc(options: ApertureOptions): ApertureArc {
  const { peerIndex, peerCount, endpointCount, aperture } = options;
  checkInteger('peerCount', peerCount, { min: 1, max: MAX_COUNT });
  checkInteger('peerIndex', peerIndex, { min: 0, max: peerCount - 1 });
  checkInteger('endpointCount', endpointCount, { min: 0, max: MAX_COUNT });
  checkInteger('aperture', aperture, { min: 1 });
  if (endpointCount === 0) return { endpoints: new Int32Array(0), weights: new Float64Array(0) };

  // A client part is `endpointCount` units wide, an endpoint `peerCount` units.
  const parts = Math.min(peerCount, Math.ceil((aperture * peerCount) / endpointCount));
  if (parts === peerCount) return wholeCircle(endpointCount);
  const start = peerIndex * endpointCount;
  const end = start + parts * endpointCount;
  const first = Math.floor(start / peerCount);
  const last = Math.ceil(end / peerCount); // exclusive; may pass 0 again
  const endpoints: number[] = [];
  const weights: number[] = [];
  for (let position = first; position < last; position++) {
    const from = Math.max(start, position * peerCount);
    const to = Math.min(end, (position + 1) * peerCount);
    const weight = (to - from) / peerCount;
    if (position >= first + endpointCount) {
      // The arc ends on the endpoint on which it began.
      weights[0] = (weights[0] as number) + weight;
    } else {
      endpoints.push(position % endpointCount);
      weights.push(weight);
    }
  }
  return { endpoints: Int32Array.from(endpoints), weights: Float64Array.from(weights) };
}

function wholeCircle(endpointCount: number): ApertureArc {
  return {
    endpoints: Int32Array.from({ length: endpointCount }, (_, endpoint) => endpoint),
    weights: new Float64Array(endpointCount).fill(1),
  };
}
