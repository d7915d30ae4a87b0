/**
 * What becomes of connections while reals come, go, drain and die, and while gateways are killed, started again and taken
 * out of the routes.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../support/require-component.ts';
import { Client } from './support/client.ts';
import { Gateways } from './support/gateways.ts';
import type { FlowReport } from './support/held-flows.ts';
import {
  FAMILIES,
  type Family,
  GATEWAYS,
  type GatewayName,
  Lab,
  realAddress,
  type RealName,
  REALS,
  vip,
} from './support/lab.ts';
import type { LabProcess } from './support/lab-process.ts';

const isMissing = ['bpf', 'ip'].some((name) => requireComponent(name).path === undefined);

/** Reals that leave the cluster keep their flows here, for five minutes. */
const DRAINING = { 4: vip(4, 1), 6: vip(6, 1) } as const;
/** And lose them at once here. */
const LEAVING = vip(4, 2);
/** 24 connections miss one of three reals, or one of two gateways, once in five thousand or ten million times. */
const CONNECTIONS = 24;

const failed = ({ connections }: FlowReport): string[] =>
  connections.flatMap(({ real, failure }) =>
    failure === undefined ? [] : [`${real}: ${failure}`],
  );
const whoAnswers = ({ connections }: FlowReport): string[] => connections.map(({ real }) => real);

describe.skipIf(isMissing)('connections through two gateways', () => {
  const lab = new Lab();
  const gateways = new Gateways(lab);
  const servers = new Map<RealName, LabProcess>();
  let client: Client;

  /** Says who the reals are, with weights, to both gateways. */
  const writeReals = (weights: Partial<Record<RealName, number>>): void => {
    for (const family of FAMILIES) {
      const entries = Object.entries(weights).map(
        ([name, weight]) =>
          `- { host: "${realAddress(family, name as RealName)}", port: 80, weight: ${weight} }\n`,
      );
      lab.write(`reals${family}.yaml`, entries.join(''));
    }
  };
  const untilRole = async (name: RealName, role: string): Promise<void> => {
    for (const family of FAMILIES) {
      await gateways.untilRole(DRAINING[family], realAddress(family, name), role);
    }
  };
  const untilWeight = (name: RealName, weight: number): Promise<void> =>
    gateways.until(`weight ${weight}`, ({ vips }) =>
      vips
        .flatMap(({ reals }) => reals)
        .every((real) => !realAddressesOf(name).has(real.address) || real.weight === weight),
    );
  const startServer = async (name: RealName): Promise<void> => {
    const [server] = await lab.startServers([name]);
    servers.set(name, server!);
  };

  /** Flows of both families, which go on while something happens to them; resolves with what became of them. */
  const during = async (
    happens: () => Promise<unknown>,
    addresses: readonly string[] = Object.values(DRAINING),
  ): Promise<{ readonly before: FlowReport[]; readonly after: FlowReport[] }> => {
    const count = { connections: CONNECTIONS, datagrams: 8 };
    await Promise.all(addresses.map((address) => client.hold(address, address, count)));
    const before = await Promise.all(addresses.map((address) => client.goOn(address)));
    await happens();
    await Promise.all(addresses.map((address) => client.goOn(address)));
    const after = await Promise.all(addresses.map((address) => client.release(address)));
    return { before, after };
  };
  /** Everything stayed where it was, and no datagram was lost. */
  const expectUnharmed = ({ before, after }: Awaited<ReturnType<typeof during>>): void => {
    for (const [index, report] of after.entries()) {
      expect(failed(report)).toEqual([]);
      expect(whoAnswers(report)).toEqual(whoAnswers(before[index]!));
      for (const { sent, received, reals } of report.datagrams) {
        expect({ received, reals: reals.length }).toEqual({ received: sent, reals: 1 });
      }
    }
  };
  /** Does a gateway forward packets of the flows that go on? */
  const hasTraffic = async (name: GatewayName): Promise<boolean> => {
    const packets = async (): Promise<number> =>
      (await gateways.status(name)).vips.reduce((sum, one) => sum + one.packets, 0);
    const before = await packets();
    await Promise.all(FAMILIES.map((family) => client.goOn(DRAINING[family])));
    return (await packets()) > before;
  };

  beforeAll(async () => {
    await lab.lay();
    const addresses = [...Object.values(DRAINING), LEAVING].join(',');
    const set = await Promise.all(
      REALS.map(async (name) => {
        const state = ['--state', join(lab.folder, name)];
        const real = lab.spawnCommand(
          name,
          'real',
          '--vip',
          addresses,
          '--interface',
          'eth0',
          ...state,
        );
        await real.said('ready: taking headers off');
        return name;
      }),
    );
    await Promise.all(set.map(startServer));
    writeReals({ real1: 1, real2: 1 });
    const vips = (family: Family, address: string, more = ''): string =>
      [`port: 80`, 'port: 7', 'port: 7, protocol: udp']
        .map((port) => `  - { address: "${address}", ${port}, cluster: web${family}${more} }\n`)
        .join('');
    gateways.configure(
      () => `vips:
${vips(4, DRAINING[4])}${vips(6, DRAINING[6])}${vips(4, LEAVING, ', drainTimeout: 0ms')}clusters:
${FAMILIES.map(
  (family) => `  web${family}:
    discovery: { file: { path: ${join(lab.folder, `reals${family}.yaml`)} } }
    health: { tcp: { interval: 100ms, timeout: 1s, fall: 2, rise: 2 } }
`,
).join('')}`,
    );
    const [started] = await Promise.all([Client.start(lab), gateways.start()]);
    client = started;
  });
  afterAll(() => lab.close());

  it('stay where they are when a real is added, which gets new ones', async () => {
    const flows = await during(async () => {
      writeReals({ real1: 1, real2: 1, real3: 1 });
      await untilRole('real3', 'active');
      for (const address of Object.values(DRAINING)) {
        expect(await client.names(address)).toEqual(new Set(REALS));
      }
    });
    expectUnharmed(flows);
    for (const report of flows.after) {
      expect(new Set(whoAnswers(report))).toEqual(new Set(['real1', 'real2']));
    }
  });

  it('stay where they are when weights change', async () => {
    const flows = await during(async () => {
      writeReals({ real1: 8, real2: 1, real3: 1 });
      await untilWeight('real1', 8);
      await Promise.all(FAMILIES.map((family) => client.names(DRAINING[family])));
    });
    expectUnharmed(flows);
    writeReals({ real1: 1, real2: 1, real3: 1 });
    await untilWeight('real1', 1);
  });

  it.each(GATEWAYS)('go on through the other gateway when %s leaves the routes', async (leaver) => {
    const [stayer] = GATEWAYS.filter((name) => name !== leaver) as [GatewayName];
    const flows = await during(async () => {
      for (const name of GATEWAYS) expect(await hasTraffic(name)).toBe(true);
      lab.routeVia(stayer);
      expect(await hasTraffic(leaver)).toBe(false);
      expect(await hasTraffic(stayer)).toBe(true);
      // Nobody notices that it ends now, nor that it comes back.
      expect(await gateways.end(leaver)).toBe(0);
      await Promise.all(FAMILIES.map((family) => client.goOn(DRAINING[family])));
      await gateways.start(leaver);
      lab.routeVia(...GATEWAYS);
    });
    expectUnharmed(flows);
    for (const report of flows.after) {
      expect(new Set(whoAnswers(report))).toEqual(new Set(REALS));
    }
  });

  it('go on, without a datagram lost, when both gateways are killed and started again', async () => {
    const flows = await during(async () => {
      await Promise.all(GATEWAYS.map((name) => gateways.end(name, 'SIGKILL')));
      // Nobody is in control now, and the kernel forwards as it did; new connections too.
      await Promise.all(FAMILIES.map((family) => client.goOn(DRAINING[family])));
      expect(await client.names(DRAINING[4])).toEqual(new Set(REALS));
      await gateways.start();
      for (const { adopted } of await gateways.statuses()) expect(adopted).toBe(true);
    });
    expectUnharmed(flows);
  });

  it.each([
    ['its weight is 0', { real1: 1, real2: 0, real3: 1 }],
    ['it left the cluster', { real1: 1, real3: 1 }],
  ])('stay at a real that drains because %s, which gets no new ones', async (_, reals) => {
    const flows = await during(async () => {
      writeReals(reals);
      await untilRole('real2', 'draining');
      for (const address of Object.values(DRAINING)) {
        expect(await client.names(address)).toEqual(new Set(['real1', 'real3']));
      }
    });
    expectUnharmed(flows);
    for (const report of flows.after) expect(whoAnswers(report)).toContain('real2');
    writeReals({ real1: 1, real2: 1, real3: 1 });
    await untilRole('real2', 'active');
  });

  it('end at a real that is removed, and nowhere else', async () => {
    const { before, after } = await during(async () => {
      writeReals({ real1: 1, real3: 1 });
      await gateways.until('without real2', ({ vips }) =>
        vips
          .filter(({ name }) => name.startsWith(LEAVING))
          .every(({ reals }) => reals.every(({ address }) => address !== realAddress(4, 'real2'))),
      );
    }, [LEAVING]);
    const gone = whoAnswers(before[0]!).filter((real) => real === 'real2');
    expect(gone.length).toBeGreaterThan(0);
    // The real that gets them now does not know them, and says so.
    expect(failed(after[0]!)).toEqual(gone.map((real) => `${real}: read ECONNRESET`));
    for (const { sent, received, reals } of after[0]!.datagrams) {
      // Datagrams need nobody who knows them: those of the real that left went elsewhere, all of them.
      expect(received).toBe(sent);
      expect(reals[0] === 'real2' ? reals.length : 1).toBe(reals.length);
    }
    writeReals({ real1: 1, real2: 1, real3: 1 });
    await untilRole('real2', 'active');
  });

  it('end at a real that dies, and nowhere else; new ones find the others, until it is back', async () => {
    const { before, after } = await during(async () => {
      await servers.get('real2')!.end('SIGKILL');
      await untilRole('real2', 'failed');
      for (const address of Object.values(DRAINING)) {
        expect(await client.names(address)).toEqual(new Set(['real1', 'real3']));
      }
    });
    for (const [index, report] of after.entries()) {
      const dead = whoAnswers(before[index]!).filter((real) => real === 'real2');
      expect(dead.length).toBeGreaterThan(0);
      expect(failed(report).map((failure) => failure.slice(0, 5))).toEqual(dead);
    }
    await startServer('real2');
    await untilRole('real2', 'active');
    for (const address of Object.values(DRAINING)) {
      expect(await client.names(address)).toEqual(new Set(REALS));
    }
  });
});

function realAddressesOf(name: RealName): ReadonlySet<string> {
  return new Set(FAMILIES.map((family) => realAddress(family, name)));
}
