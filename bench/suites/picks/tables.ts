import { HashRing, Ketama, MaglevTable, Rendezvous } from '@evenkeel/core/algorithm';
import { addresses } from './contenders.ts';

/** Figure name to a function that builds the table once. Names give size x endpoints. */
export const TABLE_BUILDS: Readonly<Record<string, () => unknown>> = {
  'maglev-build-65537x10-ms': maglev(65_537, 10),
  'maglev-build-65537x1000-ms': maglev(65_537, 1_000),
  'maglev-build-65537x10000-ms': maglev(65_537, 10_000),
  'maglev-build-655373x1000-ms': maglev(655_373, 1_000),
  'ring-hash-build-1024x100-ms': ring(1_024, 100),
  'ring-hash-build-65536x100-ms': ring(65_536, 100),
  'ketama-build-160x1000-ms': ketama(1_000),
  'rendezvous-build-1000-ms': rendezvous(1_000),
};

/** Goal for the table whose build time matters most: it is the default of keyed clusters. */
export const BUILD_TARGET = { figure: 'maglev-build-65537x1000-ms', ms: 3 } as const;

function maglev(size: number, count: number): () => unknown {
  const keys = addresses(count);
  return () => new MaglevTable({ keys, size });
}

function ring(points: number, count: number): () => unknown {
  const keys = addresses(count);
  return () =>
    new HashRing({ keys, sizing: { kind: 'bounded', minSize: points, maxSize: 8_388_608 } });
}

function ketama(count: number): () => unknown {
  const servers = addresses(count).map((address) => ({ address }));
  return () => new Ketama(servers);
}

function rendezvous(count: number): () => unknown {
  const keys = addresses(count);
  return () => new Rendezvous({ keys });
}
