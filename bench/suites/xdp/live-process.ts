/**
 * Sends frames over a veth to a program at its other end, which sends them back. Started in a network namespace of its
 * own. Time is that of the wall: the kernel's part runs wherever interrupts do. The way there and back costs far more than
 * the program, so this is a proof that frames travel and none is lost, and no gate.
 */
import { spawnSync } from 'node:child_process';
import { attachXdp } from '@evenkeel/bpf';
import { openForwarder } from '@evenkeel/l4-gateway';
import { serve } from '../../support/child.ts';
import { measureRounds } from '../../support/rounds.ts';
import { summarize } from '../../support/statistics.ts';
import { ip4Subject } from './frames.ts';
import { type Candidate, FLOW_MASKS, type Mode, openScale, stayOnOneCpu } from './scale.ts';

export interface LiveRequest {
  readonly frames: number;
  readonly rounds: number;
}

/** Medians, in nanoseconds per frame. */
export interface LiveTimes {
  readonly mode: Mode;
  readonly tx: number;
  readonly encap: number;
  readonly forward: number;
  /** Part of the frames that came back, of all rounds. */
  readonly returned: number;
}

const REALS = Array.from({ length: 100 }, (_, index) => ({ address: `10.0.0.${index + 1}` }));
const LIMIT_MS = 2_000;

function ip(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

async function measureAll({ frames, rounds }: LiveRequest): Promise<LiveTimes[]> {
  stayOnOneCpu();
  ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
  for (const name of ['near', 'far']) ip('link', 'set', name, 'up');
  const index = Number(/^(\d+):/u.exec(ip('-o', 'link', 'show', 'near'))?.[1]);
  const scale = openScale(1);
  const subject = ip4Subject();
  const forwarder = openForwarder({ nextHop: '02:00:00:00:00:03' });
  forwarder.addVip({ address: subject.vip, port: 80, protocol: 'tcp' }, REALS);
  const { tx, encap } = scale.floors;
  const near = attachXdp(scale.swallower, { interface: 'near', mode: 'native' });
  const far = attachXdp(tx.program, { interface: 'far', mode: 'native' });
  // `struct xdp_md`: the frame from 0 to its length, as if it had come in by `near`.
  const context = Buffer.alloc(24);
  context.writeUInt32LE(subject.frame.length, 4);
  context.writeUInt32LE(index, 12);
  let sent = 0;
  let returned = 0;
  const send = (candidate: Candidate, mode: Mode): number => {
    far.update(candidate.program);
    scale.prepare(subject, mode);
    scale.takeReturned(subject.frame.length + candidate.growth);
    const start = performance.now();
    scale.generator.testRun({ data: subject.frame, context, repeat: frames, liveFrames: true });
    let count = 0;
    const bytes = subject.frame.length + candidate.growth;
    while (count < frames && performance.now() - start < LIMIT_MS)
      count += scale.takeReturned(bytes);
    sent += frames;
    returned += count;
    return ((performance.now() - start) * 1e6) / count;
  };
  try {
    const times: LiveTimes[] = [];
    for (const mode of Object.keys(FLOW_MASKS) as Mode[]) {
      [sent, returned] = [0, 0];
      const samples = await measureRounds(
        [
          { name: 'tx', measure: () => send(tx, mode) },
          { name: 'encap', measure: () => send(encap, mode) },
          {
            name: 'forward',
            measure: () => send({ program: forwarder.program, growth: 20 }, mode),
          },
        ],
        { rounds },
      );
      const of = (name: keyof typeof samples): number => summarize(samples[name]).median;
      times.push({
        ...{ mode, tx: of('tx'), encap: of('encap'), forward: of('forward') },
        returned: returned / sent,
      });
    }
    return times;
  } finally {
    near.close();
    far.close();
    forwarder.close();
    scale.close();
  }
}

serve(measureAll);
