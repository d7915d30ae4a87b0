/**
 * A canary: 5 % of the users get the new version, always the same ones; then more and more of them, and nobody goes back
 * and forth.
 *
 * Run: node --conditions=@evenkeel/source examples/canary-split.ts
 */
import { createCluster } from '@evenkeel/core';

const server = (
  port: number,
  version: string,
): { address: string; metadata: { version: string } } => ({
  address: `127.0.0.1:${port}`,
  metadata: { version },
});

const users = createCluster({
  name: 'users',
  discovery: [...[8001, 8002, 8003, 8004].map((port) => server(port, 'v1')), server(8005, 'v2')],
  topology: {
    split: {
      sides: {
        canary: { subset: { version: 'v2' }, weight: 5 },
        stable: { subset: { version: 'v1' }, weight: 95 },
      },
      // Where undici and fetch find the key that binds a user to a side.
      hashKey: { header: 'x-user-id' },
    },
    // A tester may name the version, whatever the split says.
    subsets: { selectors: [{ keys: ['version'] }] },
  },
});
await users.ready();

const everyone = Array.from({ length: 10_000 }, (_, user) => `user-${user}`);
const onCanary = (): Set<string> =>
  new Set(
    everyone.filter((hashKey) => {
      const slot = users.pick({ hashKey });
      return users.endpoint(slot)?.metadata['version'] === 'v2';
    }),
  );

let before = new Set<string>();
for (const percent of [5, 20, 50, 100]) {
  users.setSplit({ canary: percent, stable: 100 - percent });
  const now = onCanary();
  const back = [...before].filter((user) => !now.has(user)).length;
  console.log(`${percent} %: ${now.size} of 10000 users on the canary, ${back} of them moved back`);
  before = now;
}

users.setSplit({ canary: 5, stable: 95 });
console.log('a tester:', users.explain({ subset: { version: 'v2' } }).chosen?.id);
for (const { step, choice, reason } of users.explain({ hashKey: 'user-1' }).path) {
  console.log(`user-1: ${step} ${choice}: ${reason}`);
}
await users.close();
