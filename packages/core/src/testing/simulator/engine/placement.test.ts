import { describe, expect, it } from 'vitest';
import { placed } from './placement.ts';

const place = { client: 3, clientCount: 8, zone: 'a', zones: ['a', 'b', 'c'] };

describe('what topology is told of the clients', () => {
  it('is nothing without topology', () => {
    const options = { policy: 'random' };
    expect(placed(options, place)).toBe(options);
  });

  it('is the zone of the client, and how many stand in each', () => {
    expect(placed({ topology: { zoneAware: {} } }, place).topology).toEqual({
      locality: { zone: 'a' },
      zoneAware: {},
      // Clients 0 to 7 are dealt out in turn: a b c a b c a b.
      peers: {
        counts: [
          { zone: 'a', count: 3 },
          { zone: 'b', count: 3 },
          { zone: 'c', count: 2 },
        ],
      },
    });
  });

  it('is its number for a deterministic aperture, and nothing for the other kind', () => {
    expect(placed({ topology: { aperture: { size: 20 } } }, place).topology?.aperture).toEqual({
      size: 20,
      index: 3,
      count: 8,
    });
    const own = { kind: 'rendezvous' } as const;
    expect(placed({ topology: { aperture: own } }, place).topology?.aperture).toEqual(own);
  });

  it('is not what the options say already', () => {
    const topology = {
      locality: { zone: 'x' },
      zoneAware: {},
      peers: { counts: [{ zone: 'x', count: 1 }] },
      aperture: { index: 0, count: 1 },
    };
    expect(placed({ topology }, place).topology).toEqual(topology);
    expect(
      placed({ topology: { slowStart: {} } }, { ...place, zone: '', zones: [] }).topology,
    ).toEqual({
      slowStart: {},
    });
  });
});
