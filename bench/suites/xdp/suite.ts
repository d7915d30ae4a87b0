/**
 * What the XDP forwarder costs per packet, against the least that a program can do: send the packet back (`tx`), and send
 * it back with constant bytes in front (`encap`). All run interleaved, wrapped alike; what the wrapper costs is taken off:
 *
 *     net(X) = wrapped(X) - (wrapped(tx) - raw(tx)) - (wrapped(grow) - wrapped(tx)) / 2
 *
 * The last term is the wrapper's `bpf_xdp_adjust_head`, which it needs only for programs that grow the packet. The test
 * loop's own 25 ns stay inside. Then the same on two CPUs at once, and with frames that really travel, there and back
 * over a virtual cable in a network namespace of its own. Needs root on Linux; nothing leaves the machine.
 */
import { BpfError, possibleCpus } from '@evenkeel/bpf';
import { openForwarder } from '@evenkeel/l4-gateway';
import type { Figures, Suite, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { ip4Subject, ip6Subject, synSubject } from './frames.ts';
import { measureLive } from './live.ts';
import { measure, type Net } from './net.ts';
import { openScale, type Scale, stayOnOneCpu } from './scale.ts';
import { measureTwoCpus } from './two-cpus.ts';

const GOALS = { 'hit/encap': 1.4, 'flows64k/encap': 1.8, 'new/encap': 2.5 } as const;
const REALS = Array.from({ length: 100 }, (_, index) => ({ address: `10.0.0.${index + 1}` }));

async function run({ print, quick }: SuiteContext): Promise<Figures> {
  const twoCpus = await measureTwoCpus(quick);
  const live = await measureLive(quick);
  stayOnOneCpu();
  const scale = openScale(quick ? 20_000 : 1_000_000);
  const forwarder = openForwarder({ nextHop: '02:00:00:00:00:03' });
  try {
    const [ip4, ip6] = [ip4Subject(), ip6Subject()];
    for (const { vip } of [ip4, ip6]) {
      forwarder.addVip({ address: vip, port: 80, protocol: 'tcp' }, REALS);
    }
    const forward = { program: forwarder.program, growth: 20 };
    const rounds = quick ? 1 : 11;
    const nets: [string, Net][] = [];
    for (const [name, subject, mode] of [
      ['hit', ip4, 'one'],
      ['flows64k', ip4, 'many'],
      ['new', ip4, 'new'],
      ['hit6', ip6, 'one'],
      ['new6', ip6, 'new'],
      ['syn', synSubject(), 'new'],
    ] as const) {
      nets.push([name, await measure(scale, forward, { subject, mode, rounds })]);
    }
    nets.push(...(await measureModes(scale, rounds)));
    print(
      formatTable(
        ['ns per packet', 'send back', 'encap floor', 'forwarder', 'to the floor'],
        nets.map(([name, net]) => [
          ...[name, net.tx, net.encap, net.forward],
          (net.forward / net.encap).toFixed(2),
        ]),
      ),
    );
    const updateMs = timeUpdates(forwarder, ip4.vip);
    const figures: Record<string, number> = {
      'encap-ns': (nets[0] as [string, Net])[1].encap,
      'update-reals-ms': updateMs,
      'table-mib': forwarder.tableBytes / 2 ** 20,
      ...memoryFigures(forwarder),
      ...(twoCpus === undefined ? {} : { 'two-cpus': twoCpus }),
      ...live.figures,
    };
    for (const [name, net] of nets) figures[`${name}/encap`] = net.forward / net.encap;
    for (const [name, goal] of Object.entries(GOALS)) {
      print(`${name}: ${(figures[name] as number).toFixed(2)}, goal ${goal}`);
    }
    print(
      `memory: ${figures['vip-kib']?.toFixed(0)} KiB a VIP with its ring, ${figures['million-flows-mib']?.toFixed(1)} MiB a million flows`,
    );
    print(
      twoCpus === undefined
        ? 'two CPUs: this process may use one'
        : `two CPUs forward ${twoCpus.toFixed(2)} times what one does`,
    );
    print(live.table);
    print(`one of 100 reals removed or back, table built and published: ${updateMs.toFixed(1)} ms`);
    return figures;
  } finally {
    forwarder.close();
    scale.close();
  }
}

/** What the maps take: a VIP has a ring of two bytes a place and a record, a flow a fourth of a bucket. */
function memoryFigures(forwarder: ReturnType<typeof openForwarder>): Record<string, number> {
  const larger = openForwarder({ nextHop: '02:00:00:00:00:03', maxRings: 128 });
  const more = openForwarder({ nextHop: '02:00:00:00:00:03', flowsPerCpu: 524_288 });
  try {
    const perVip = (larger.tableBytes - forwarder.tableBytes) / 64;
    const perFlow = (more.tableBytes - forwarder.tableBytes) / (262_144 * possibleCpus());
    return { 'vip-kib': perVip / 1_024, 'million-flows-mib': (perFlow * 1e6) / 2 ** 20 };
  } finally {
    larger.close();
    more.close();
  }
}

/** The ways of forwarding that are not the shortest, one flow each; with NAT's part of the program loaded. */
async function measureModes(scale: Scale, rounds: number): Promise<[string, Net][]> {
  const nat = { addresses: ['10.201.1.1'] };
  const forwarder = openForwarder({ nextHop: '02:00:00:00:00:03', nat });
  const nets: [string, Net][] = [];
  try {
    for (const [forward, port, growth] of [
      ['gre', 81, 24],
      ['gue', 82, 28],
      ['nat', 83, 0],
    ] as const) {
      const isChanged = forward === 'nat';
      const subject = { ...ip4Subject({ port }), isChanged };
      forwarder.addVip({ address: subject.vip, port, protocol: 'tcp' }, REALS, { forward });
      // NAT opens connections for SYNs alone.
      if (isChanged) {
        const { data } = forwarder.program.testRun({ data: ip4Subject({ port, flags: 2 }).frame });
        if (data.length !== subject.frame.length) throw new Error('NAT opened no connection');
      }
      const candidate = { program: forwarder.program, growth };
      nets.push([forward, await measure(scale, candidate, { subject, mode: 'one', rounds })]);
    }
    return nets;
  } finally {
    forwarder.close();
  }
}

/** Mean of updates that take a real out and put it back in. */
function timeUpdates(forwarder: ReturnType<typeof openForwarder>, address: string): number {
  const turns = 10;
  const start = performance.now();
  for (let turn = 0; turn < turns; turn += 1) {
    const reals = turn % 2 === 0 ? REALS.slice(1) : REALS;
    forwarder.updateReals({ address, port: 80, protocol: 'tcp' }, reals);
  }
  return (performance.now() - start) / turns;
}

export const suite: Suite = {
  description: 'the XDP forwarder per packet, to the floors of sending back and encapsulating',
  async run(context): Promise<Figures> {
    try {
      return await run(context);
    } catch (error) {
      if (error instanceof BpfError) context.print(`this needs BPF: ${error.message}`);
      throw error;
    }
  },
};
