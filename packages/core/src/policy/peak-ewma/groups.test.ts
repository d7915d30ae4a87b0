import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../../model/endpoint.ts';
import { LoadTable } from '../../model/load-table.ts';
import type { Members } from '../../model/members.ts';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import type { Balancer } from '../policy.ts';
import { PolicyRegistry } from '../registry.ts';
import { peakEwma } from './index.ts';

function members(...slots: number[]): Members {
  return {
    version: 1,
    slots: Int32Array.from(slots),
    weights: new Float64Array(slots.length).fill(1),
    endpoints: slots.map((slot) => createEndpoint(`10.0.0.${slot}:80`)),
  };
}

function request(balancer: Balancer, slot: number, latencyMs: number): void {
  balancer.onStart?.(slot, 0);
  balancer.onFinish?.(slot, Outcome.success, latencyMs, latencyMs);
}

describe('groups under peak EWMA', () => {
  it('get their trials, each of them, although requests take turns between them', () => {
    const load = new LoadTable();
    const registry = new PolicyRegistry([peakEwma]);
    const balancer = registry.create(registry.decode('peak-ewma'), {
      load,
      random: new XorShift128(1),
    });
    // In each group one endpoint is so slow that it loses every comparison.
    let pickers = [balancer.update(members(0, 1)), balancer.update(members(2, 3))];
    for (const slot of [0, 2]) request(balancer, slot, 10);
    for (const slot of [1, 3]) request(balancer, slot, 2_000);
    const tried = new Set<number>();
    for (let pick = 0; pick < 2_000; pick++) {
      // An hour later a trial of both is due.
      tried.add(pickers[pick % 2]?.pick({}, 3_600_000) ?? -1);
      // Publications more frequent than trials do not put them off.
      if (pick % 20 !== 0) continue;
      pickers = [members(0, 1), members(2, 3)].map((group, index) =>
        balancer.update(group, pickers[index]),
      );
    }
    expect([...tried].sort()).toEqual([0, 1, 2, 3]);
  });
});
