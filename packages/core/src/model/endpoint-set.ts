import { createEndpoint, type Endpoint, type EndpointInput, endpointsEqual } from './endpoint.ts';

/** The members of a cluster as one source sees them at one moment: immutable, each identity once, in given order. */
export interface EndpointSet {
  readonly endpoints: readonly Endpoint[];
  readonly byId: ReadonlyMap<string, Endpoint>;
}

/** Most endpoints a set may hold; a lying source must not be able to exhaust memory. */
export const MAX_ENDPOINTS = 65_536;

/** A set of ready endpoints. Of several with the same id the first stays. */
export function createEndpointSet(endpoints: readonly Endpoint[]): EndpointSet {
  const byId = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    if (!byId.has(endpoint.id)) byId.set(endpoint.id, endpoint);
  }
  return Object.freeze({ endpoints: Object.freeze([...byId.values()]), byId });
}

/** A set from what a user wrote. @throws ConfigError naming the position and the field */
export function endpointSetOf(inputs: readonly EndpointInput[], path = 'endpoints'): EndpointSet {
  return createEndpointSet(
    inputs.map((input, index) => createEndpoint(input, `${path}[${index}]`)),
  );
}

/** Same members with the same properties, whatever their order? Used to publish nothing when nothing changed. */
export function endpointSetsEqual(a: EndpointSet, b: EndpointSet): boolean {
  if (a === b) return true;
  if (a.byId.size !== b.byId.size) return false;
  for (const endpoint of a.endpoints) {
    const other = b.byId.get(endpoint.id);
    if (other === undefined || !endpointsEqual(endpoint, other)) return false;
  }
  return true;
}
