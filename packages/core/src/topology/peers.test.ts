import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import { endpointSetOf } from '../model/endpoint-set.ts';
import type { HealthState } from '../model/health-state.ts';
import { type PeerCluster, Peers } from './peers.ts';

/** A cluster of peers as a test writes it: `id zone state`. */
class ScriptedPeers implements PeerCluster {
  panic = false;
  listenerCount = 0;
  listener: ((event: { readonly type: string }) => void) | undefined;
  readonly #lines: string[];

  constructor(...lines: string[]) {
    this.#lines = lines;
  }

  snapshot(): ReturnType<PeerCluster['snapshot']> {
    const endpoints = this.#lines.map((line) => {
      const [id = '', zone = '', state = 'healthy'] = line.split(' ');
      const endpoint = createEndpoint({ address: 'h:1', id, locality: { region: 'eu', zone } });
      return { endpoint, state: state as HealthState };
    });
    return { panic: this.panic, endpoints };
  }

  subscribe(listener: (event: { readonly type: string }) => void): () => void {
    this.listener = listener;
    this.listenerCount++;
    return () => void this.listenerCount--;
  }
}

const nothing = (): void => undefined;

describe('Peers', () => {
  it('adds up what is counted by hand', () => {
    const counts = [
      { region: 'eu', zone: 'a', count: 3 },
      { zone: 'b', count: 2 },
      { region: 'eu', zone: 'a', count: 1 },
    ];
    const peers = new Peers({ counts }, nothing);
    expect([...peers.zones().counts]).toEqual([
      ['eu/a', 4],
      ['/b', 2],
    ]);
    expect(peers.position(undefined)).toBeUndefined();
  });

  it('finds itself in a set, in whatever order that is written', () => {
    const inputs = ['c:1', 'a:1', 'b:1'].map((address) => ({ address, locality: { zone: 'z' } }));
    for (const endpoints of [endpointSetOf(inputs), endpointSetOf(inputs.toReversed())]) {
      expect(new Peers({ endpoints, self: 'b:1' }, nothing).position(undefined)).toEqual({
        index: 1,
        count: 3,
      });
    }
    expect(new Peers({ endpoints: endpointSetOf(inputs) }, nothing).position(undefined)).toBe(
      undefined,
    );
  });

  it('counts those of a cluster that work, and itself', () => {
    const cluster = new ScriptedPeers('a a', 'b a degraded', 'c a unhealthy', 'd b ejected', 'e b');
    expect([...new Peers({ cluster }, nothing).zones().counts]).toEqual([
      ['eu/a', 2],
      ['eu/b', 1],
    ]);
    expect(new Peers({ cluster, self: 'd' }, nothing).zones().counts.get('eu/b')).toBe(2);
    cluster.panic = true;
    const kept = new Peers({ cluster }, nothing);
    expect(kept.zones()).toBe(kept.zones());
    expect(new Peers({ cluster }, nothing).zones().panic).toBe(true);
  });

  it('places itself among those that are listed, be they healthy or not', () => {
    const cluster = new ScriptedPeers('a a', 'b b unhealthy', 'c a draining', 'd a ejected');
    const peers = new Peers({ cluster, self: 'd' }, nothing);
    expect(peers.position(undefined)).toEqual({ index: 2, count: 3 });
    expect(peers.position('eu/a')).toEqual({ index: 1, count: 2 });
    expect(peers.position('eu/b')).toBeUndefined();
  });

  it('tells of changes that matter, until it is closed', () => {
    const cluster = new ScriptedPeers('a a');
    let changes = 0;
    const peers = new Peers({ cluster }, () => changes++);
    for (const type of ['membership-changed', 'discovery-error', 'health-changed', 'panic-left']) {
      cluster.listener?.({ type });
    }
    expect(changes).toBe(3);
    peers.close();
    expect(cluster.listenerCount).toBe(0);
  });
});
