/**
 * What the XDP forwarder costs per packet, against the least that a program can do: send the packet back (`tx`), and send
 * it back with constant bytes in front (`encap`). All run interleaved, wrapped alike; what the wrapper costs is taken off:
 *
 *     net(X) = wrapped(X) - (wrapped(tx) - raw(tx)) - (wrapped(grow) - wrapped(tx)) / 2
 *
 * The last term is the wrapper's `bpf_xdp_adjust_head`, which it needs only for programs that grow the packet. The test
 * loop's own 25 ns stay inside. Needs root on Linux; nothing is attached, no packet leaves.
 */
import { BpfError } from '@evenkeel/bpf';
import { openForwarder } from '@evenkeel/l4-gateway';
import { measureRounds } from '../../support/rounds.ts';
import { summarize } from '../../support/statistics.ts';
import type { Figures, Suite, SuiteContext } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';
import { ip4Subject, ip6Subject, type Subject, synSubject } from './frames.ts';
import { type Candidate, type Mode, openScale, type Scale, stayOnOneCpu } from './scale.ts';

const GOALS = { 'hit/encap': 1.4, 'flows64k/encap': 1.8, 'new/encap': 2.5 } as const;
const REALS = Array.from({ length: 100 }, (_, index) => ({ address: `10.0.0.${index + 1}` }));

interface Net {
  readonly tx: number;
  readonly encap: number;
  readonly forward: number;
}

/** Medians of one way in which flows come. */
async function measure(
  scale: Scale,
  forward: Candidate,
  { subject, mode, rounds }: { subject: Subject; mode: Mode; rounds: number },
): Promise<Net> {
  const { tx, grow, encap } = scale.floors;
  for (const [name, candidate] of Object.entries({ ...scale.floors, forward })) {
    scale.check(name, candidate, { subject, mode });
  }
  const wrapped = (candidate: Candidate) => (): number => scale.wrapped(candidate, subject, mode);
  const samples = await measureRounds(
    [
      { name: 'raw', measure: () => scale.raw(tx, subject) },
      { name: 'tx', measure: wrapped(tx) },
      { name: 'grow', measure: wrapped(grow) },
      { name: 'encap', measure: wrapped(encap) },
      { name: 'forward', measure: wrapped(forward) },
    ],
    { rounds, warmupRounds: 1 },
  );
  const of = (name: keyof typeof samples): number => summarize(samples[name]).median;
  const wrapper = of('tx') - of('raw');
  const growing = wrapper + (of('grow') - of('tx')) / 2;
  return {
    tx: of('raw'),
    encap: of('encap') - growing,
    forward: of('forward') - (forward.growth > 0 ? growing : wrapper),
  };
}

async function run({ print, quick }: SuiteContext): Promise<Figures> {
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
    };
    for (const [name, net] of nets) figures[`${name}/encap`] = net.forward / net.encap;
    for (const [name, goal] of Object.entries(GOALS)) {
      print(`${name}: ${(figures[name] as number).toFixed(2)}, goal ${goal}`);
    }
    print(`one of 100 reals removed or back, table built and published: ${updateMs.toFixed(1)} ms`);
    return figures;
  } finally {
    forwarder.close();
    scale.close();
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
