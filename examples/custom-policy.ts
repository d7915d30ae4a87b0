/**
 * A policy of one's own in 20 lines: always the endpoint with the fewest failures so far.
 *
 * Run: node --conditions=@evenkeel/source examples/custom-policy.ts
 */
import {
  createCluster,
  definePolicy,
  isExcluded,
  isFailure,
  NO_SLOT,
  Outcome,
} from '@evenkeel/core';

const fewestFailures = definePolicy({
  name: 'fewest-failures',
  keyed: false,
  create(_config, { load }) {
    const failures = load.addColumn(0); // one number per endpoint, kept while endpoints come and go
    return {
      onFinish: (slot, outcome) => {
        if (isFailure(outcome)) failures.values[slot] = (failures.values[slot] ?? 0) + 1;
      },
      update: (members) => ({
        pick(context) {
          let best = NO_SLOT;
          for (const slot of members.slots) {
            if (isExcluded(context, slot)) continue;
            if (best === NO_SLOT || (failures.values[slot] ?? 0) < (failures.values[best] ?? 0))
              best = slot;
          }
          return best;
        },
        explain: () =>
          [...members.slots].map((slot) => ({
            slot,
            reason: `${failures.values[slot] ?? 0} failures so far`,
          })),
      }),
    };
  },
});

const cluster = createCluster(
  { name: 'users', discovery: ['127.0.0.1:8001', '127.0.0.1:8002'], policy: 'fewest-failures' },
  { policies: [fewestFailures] },
);
const first = cluster.acquire();
first.finish(Outcome.gatewayError);
const second = cluster.acquire();
second.finish(Outcome.success);
console.log(`first ${first.endpoint.id}, then ${second.endpoint.id}`);
console.log(
  cluster
    .explain()
    .candidates.map(({ id, reason }) => `${id}: ${reason}`)
    .join('\n'),
);
await cluster.close();
