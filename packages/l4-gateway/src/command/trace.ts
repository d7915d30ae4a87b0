import { readLines } from '../admin/admin-client.ts';
import { decodeTraced } from '../admin/trace-stream.ts';
import { PcapngFile } from '../forwarder/pcapng.ts';
import type { TracedPacket } from '../forwarder/trace.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { GATEWAY_OPTIONS, gatewayName } from './status.ts';

const DEFAULT_COUNT = 10;
const DEFAULT_SECONDS = 30;

/** Names of options, and the words of a filter that they stand for. */
const FILTER = {
  client: 'source',
  'client-port': 'sourcePort',
  vip: 'destination',
  port: 'destinationPort',
  protocol: 'protocol',
  'one-in': 'oneIn',
} as const;

/** `evenkeel-gateway trace` */
export const traceCommand: Command = {
  name: 'trace',
  summary: 'follow single packets through the program, step by step',
  details: `Packets that do not match are not slowed down by more than some nanoseconds. One trace runs at a time.
`,
  options: {
    ...GATEWAY_OPTIONS,
    client: { type: 'string', value: 'PREFIX', help: 'only from there' },
    'client-port': { type: 'string', value: 'PORT', help: 'only from this port' },
    vip: { type: 'string', value: 'PREFIX', help: 'only to there' },
    port: { type: 'string', value: 'PORT', help: 'only to this port' },
    protocol: { type: 'string', value: 'tcp|udp|icmp|icmpv6', help: 'only of this protocol' },
    'one-in': { type: 'string', value: 'N', help: 'one of so many, at random (default all)' },
    count: { type: 'string', value: 'N', help: `end after so many (default ${DEFAULT_COUNT})` },
    seconds: { type: 'string', value: 'N', help: `or so long (default ${DEFAULT_SECONDS})` },
    pcap: { type: 'string', value: 'FILE', help: 'write the packets there, in pcapng format' },
  },
  run: async (values, io) => {
    const query = new URLSearchParams();
    for (const [option, word] of Object.entries(FILTER)) {
      const value = values.text(option);
      if (value !== undefined) query.set(word, value);
    }
    const count = values.number('count', { min: 1, max: 1_000_000 }) ?? DEFAULT_COUNT;
    const seconds = values.number('seconds', { min: 1, max: 86_400 }) ?? DEFAULT_SECONDS;
    const name = await gatewayName(values);
    const path = values.text('pcap');
    const file = path === undefined ? undefined : new PcapngFile(path);
    let seen = 0;
    const stop = AbortSignal.any([io.stop, AbortSignal.timeout(1_000 * seconds)]);
    try {
      await readLines(name, `/trace?${query.toString()}`, {
        stop,
        handle: (line) => {
          const packet = decodeTraced(line);
          file?.add(packet);
          io.out(packetText(packet));
          seen += 1;
          return seen < count;
        },
      });
    } finally {
      file?.close();
    }
    io.out(`${seen} packets\n`);
    return EXIT.ok;
  },
};

function packetText({ id, cpu, received, left, verdict, steps }: TracedPacket): string {
  const sent = verdict === 'tx' ? `, ${left.length} bytes out` : '';
  const head = `#${id} on CPU ${cpu}: ${received.length} bytes in, ${verdict}${sent}\n`;
  return head + steps.map((step) => `    ${step}\n`).join('');
}
