/**
 * A canary in the proxy: 10 % of the clients get the new version and keep it, the canary grows by `apply` without a
 * request lost, and is taken back when its answers are bad.
 *
 * Run: node --conditions=@evenkeel/source examples/proxy-canary.ts
 */
import { createCluster } from '@evenkeel/core';
import { createProxy, type ProxyOptions } from '@evenkeel/proxy';
import { startServers } from './support/servers.ts';

let isNewBroken = false;
const stable = await startServers([(_, response) => response.end('v1')]);
const next = await startServers([
  (_, response) => {
    if (isNewBroken) response.statusCode = 500;
    response.end('v2');
  },
]);
const web = createCluster({ name: 'web', discovery: stable.addresses });
// With outlier detection the new version alone would be ejected; here the weights decide.
const webNext = createCluster({
  name: 'web-next',
  discovery: next.addresses,
  outlierDetection: false,
});

const options = (canaryPercent: number): ProxyOptions => ({
  clusters: [web, webNext],
  listeners: [
    {
      listen: '127.0.0.1:0',
      http: {
        routes: [
          {
            name: 'web',
            split: [
              { cluster: 'web', weight: 100 - canaryPercent },
              { cluster: 'web-next', weight: canaryPercent },
            ],
            stickyBy: { cookie: 'user' },
          },
        ],
      },
    },
  ],
});
const proxy = await createProxy(options(10));
const url = `http://127.0.0.1:${proxy.addresses[0]?.port}/`;

const first = await versions();
console.log(`10 %: ${report(first)}`);
await proxy.apply(options(30));
const second = await versions();
const kept = [...first].filter(([user, version]) => version !== 'v2' || second.get(user) === 'v2');
console.log(
  `30 %: ${report(second)}; ${kept.length === first.size ? 'who had it, has it' : 'lost'}`,
);
isNewBroken = true;
const broken = [...(await versions()).values()].filter((version) => version.startsWith('failed'));
await proxy.apply(options(0));
isNewBroken = false;
console.log(
  `the new version breaks for ${broken.length} of 500; taken back: ${report(await versions())}`,
);

const meters = proxy.stats.routes.filter(({ cluster }) => cluster !== '');
for (const { cluster, statusCounts } of meters)
  console.log(`${cluster}: ${statusCounts[2]} good, ${statusCounts[5]} failed`);
if (kept.length !== first.size) process.exitCode = 1;

await proxy.close();
await Promise.all([web.close(), webNext.close()]);
await Promise.all([stable.close(), next.close()]);

/** What each of 500 users gets. */
async function versions(): Promise<Map<string, string>> {
  const users = Array.from({ length: 500 }, (_, at) => `user-${at}`);
  const seen = new Map<string, string>();
  const call = async (): Promise<void> => {
    for (let user = users.pop(); user !== undefined; user = users.pop()) {
      const response = await fetch(url, { headers: { cookie: `user=${user}` } });
      const text = await response.text();
      seen.set(user, response.ok ? text : `failed with ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: 10 }, call));
  return seen;
}

function report(seen: ReadonlyMap<string, string>): string {
  const counts = new Map<string, number>();
  for (const version of seen.values()) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .map(([version, count]) => `${version} ${count}`)
    .toSorted()
    .join(', ');
}
