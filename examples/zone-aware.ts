/**
 * Zone-aware routing: a client in zone a keeps to its zone as far as that loads nobody more than others, leaves the zone
 * when its endpoints fail, and comes back.
 *
 * Run: node --conditions=@evenkeel/source examples/zone-aware.ts
 */
import { createCluster } from '@evenkeel/core';

const zone = (name: string, ports: readonly number[]): { address: string; locality: object }[] =>
  ports.map((port) => ({
    address: `127.0.0.1:${port}`,
    locality: { region: 'eu', zone: name },
  }));

const users = createCluster({
  name: 'users',
  discovery: [
    ...zone('a', [8001, 8002, 8003]),
    ...zone('b', [8011, 8012, 8013, 8014, 8015, 8016]),
    ...zone('c', [8021, 8022, 8023]),
  ],
  topology: {
    locality: { region: 'eu', zone: 'a' },
    zoneAware: {},
    // How many clients stand where; instead of counts, a cluster of the clients would be followed.
    peers: {
      counts: [
        { region: 'eu', zone: 'a', count: 40 },
        { region: 'eu', zone: 'b', count: 40 },
        { region: 'eu', zone: 'c', count: 20 },
      ],
    },
  },
});
await users.ready();

function report(when: string): void {
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (let request = 0; request < 10_000; request++) {
    const name = users.endpoint(users.pick())?.locality.zone ?? 'nobody';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  const shares = Object.entries(counts).map(
    ([name, count]) => `${name} ${Math.round(count / 100)} %`,
  );
  const why = users.explain().path.find(({ step }) => step === 'locality')?.reason;
  console.log(`${when}: ${shares.join(', ')}\n  ${why}`);
}

const here = users.snapshot().endpoints.filter(({ endpoint }) => endpoint.locality.zone === 'a');
report('all well');
for (const { id } of here) users.setEnabled(id, false); // as an operator; failed checks do the same
report('zone a is out');
for (const { id } of here) users.setEnabled(id, true);
report('zone a is back');
await users.close();
