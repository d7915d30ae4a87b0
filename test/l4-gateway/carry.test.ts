/**
 * Traffic through two gateways that share it: every way of forwarding, both families, real connections with their content
 * checked; and networks on the way that carry less than others.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../support/require-component.ts';
import { Client } from './support/client.ts';
import { Gateways } from './support/gateways.ts';
import {
  FAMILIES,
  type Family,
  GATEWAYS,
  Lab,
  natAddress,
  realAddress,
  REALS,
  vip,
} from './support/lab.ts';
import type { LabProcess } from './support/lab-process.ts';

const isMissing = ['bpf', 'ip'].some((name) => requireComponent(name).path === undefined);

const MODES = ['ipip', 'gue', 'gre', 'nat'] as const;
type Mode = (typeof MODES)[number];
const TUNNELS = ['ipip', 'gue', 'gre'] as const;
const host = (mode: Mode, family: Family): string => vip(family, MODES.indexOf(mode) + 1);
const CASES = MODES.flatMap((mode) => FAMILIES.map((family) => ({ mode, family })));
const TUNNEL_CASES = CASES.filter(({ mode }) => mode !== 'nat');

/** A VIP for each way and family, in front of the same three reals. */
const vips = CASES.flatMap(({ mode, family }) => {
  const address = `  - { address: "${host(mode, family)}", forward: ${mode}`;
  // With NAT, the port of a real is that of its endpoint.
  return [
    `${address}, port: 80, cluster: web${family} }`,
    `${address}, port: 7, protocol: udp, cluster: echo${family} }`,
  ];
}).join('\n');

const clusters = FAMILIES.flatMap((family) =>
  [
    ['web', 80],
    ['echo', 7],
  ].map(([name, port]) => {
    const at = (address: string): string =>
      family === 4 ? `"${address}:${port}"` : `"[${address}]:${port}"`;
    return `  ${name}${family}:
    discovery: [${REALS.map((real) => at(realAddress(family, real))).join(', ')}]
    health: { tcp: { interval: 200ms, timeout: 1s } }`;
  }),
).join('\n');

const GOOD = { isEqual: true, real: expect.stringMatching(/^real[123]$/u) as string };
const ALL = new Set<string>(REALS);

describe.skipIf(isMissing)('two gateways and three reals', () => {
  const lab = new Lab();
  const gateways = new Gateways(lab);
  const reals: LabProcess[] = [];
  let client: Client;

  /** Both sides forget what they have learned of the path to each other. */
  const forgetPaths = (): void => {
    for (const name of ['client', ...REALS] as const)
      lab.ip(name, 'route flush cache', '-6 route flush cache');
  };

  beforeAll(async () => {
    await lab.lay();
    const tunnelled = TUNNELS.flatMap((mode) => FAMILIES.map((family) => host(mode, family)));
    for (const name of REALS) {
      const state = ['--state', join(lab.folder, name), '--mss', 'keep'];
      const vipList = ['--vip', tunnelled.join(',')];
      reals.push(lab.spawnCommand(name, 'real', ...vipList, '--interface', 'eth0', ...state));
    }
    await Promise.all(reals.map((real) => real.said('ready: taking headers off')));
    await lab.startServers();
    gateways.configure(
      (name) => `nat: { addresses: [${FAMILIES.map((f) => `"${natAddress(f, name)}"`).join(', ')}] }
vips:
${vips}
clusters:
${clusters}
`,
    );
    const [started] = await Promise.all([Client.start(lab), gateways.start()]);
    client = started;
  });
  afterAll(() => lab.close());

  describe.each(CASES)('$mode over IPv$family', ({ mode, family }) => {
    it('carries downloads and uploads unharmed', async () => {
      for (const direction of ['down', 'up'] as const) {
        const done = await client.transfer({ direction, host: host(mode, family) });
        expect(done).toEqual(done.map(() => GOOD));
      }
    });

    it('carries datagrams there and back, to every real', async () => {
      // More flows than it takes to meet everyone: 3 * (2/3)^40 is less than one in a million.
      const sizes = Array.from({ length: 40 }, (_, index) => Math.min(36 * index, 1_380));
      expect(await client.datagrams(host(mode, family), sizes)).toEqual(ALL);
    });
  });

  it('has used both gateways for every VIP, and dropped nothing', async () => {
    const statuses = await gateways.statuses();
    expect(statuses.length).toBe(GATEWAYS.length);
    for (const { vips: used, packets } of statuses) {
      expect(used.length).toBe(CASES.length * 2);
      for (const { packets: count } of used) expect(count).toBeGreaterThan(0);
      const { newFlow, passedNoVip, natOpened, natReturned, ...others } = packets;
      expect(newFlow).toBeGreaterThan(50);
      expect([natOpened, natReturned].every((count) => Number(count) > 20)).toBe(true);
      expect(passedNoVip).toBeGreaterThanOrEqual(0);
      expect(Object.entries(others).filter(([, count]) => count > 0)).toEqual([]);
    }
  });

  describe('a network in front of the router that carries 1300 bytes', () => {
    beforeAll(() => {
      lab.setMtu('access', 1_300);
      // What a router complains about comes back by a route that need not be the connection's: no matter where every
      // gateway knows the real, but a translated connection is known to one.
      for (const family of FAMILIES) lab.routeVip(host('nat', family), 'gateway1');
    });
    afterAll(() => lab.setMtu('access', 1_500));

    it.each(CASES)(
      'downloads by $mode over IPv$family go on with smaller packets',
      async (which) => {
        forgetPaths();
        const before = await gateways.counts();
        const done = await client.transfer({
          direction: 'down',
          host: host(which.mode, which.family),
        });
        const after = await gateways.counts();
        expect(done).toEqual(done.map(() => GOOD));
        // The router complains to the VIP; a gateway passes it on, and not always the one that has the flow.
        expect(after['icmpForwarded']).toBeGreaterThan(Number(before['icmpForwarded']));
      },
    );

    it.each(FAMILIES)('uploads over IPv%i are no concern of the gateways', async (family) => {
      const done = await client.transfer({ direction: 'up', host: host('ipip', family) });
      expect(done).toEqual(done.map(() => GOOD));
    });
  });

  describe("gateways and reals whose networks carry 1500 bytes, like the client's", () => {
    beforeAll(async () => {
      for (const name of GATEWAYS) expect(await gateways.end(name)).toBe(0);
      for (const name of [...GATEWAYS, ...REALS]) lab.setMtu(name, 1_500);
      await gateways.start();
    });

    it.each(TUNNEL_CASES)(
      'uploads by $mode over IPv$family go on, because the gateway says what fits',
      async ({ mode, family }) => {
        forgetPaths();
        const before = await gateways.counts();
        const done = await client.transfer({ direction: 'up', host: host(mode, family) });
        expect(done).toEqual(done.map(() => GOOD));
        const after = await gateways.counts();
        expect(after['tooBigSent']).toBeGreaterThan(Number(before['tooBigSent']));
        expect(after['tooBig']).toBe(before['tooBig']);
      },
    );
  });

  it('leaves a real as it was when its set-up ends', async () => {
    for (const [index, real] of reals.entries()) {
      expect(await real.end()).toBe(0);
      expect(real.output).toMatch(/^undone$/mu);
      expect(lab.in(REALS[index]!, 'ip', 'address', 'show', 'dev', 'lo')).not.toContain(vip(4));
    }
  });
});
