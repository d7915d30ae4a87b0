/**
 * Attaches a program to an interface of its namespace until its input ends: `decapsulate` takes the outer header off
 * whatever comes from a gateway, `pass` lets everything through, which XDP_TX at the other end of a veth needs.
 */
import { attachXdp } from '@evenkeel/bpf';
import { Decapsulator } from '../../real/decapsulator.ts';
import { parsePrefix } from '../prefix.ts';

const [name, program] = process.argv.slice(2) as [string, 'decapsulate' | 'pass'];
const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text, 'test'));
const decapsulator = new Decapsulator({
  vips: prefixes('0.0.0.0/0', '::/0'),
  addresses: prefixes('0.0.0.0/0', '::/0'),
  gateways: prefixes('172.16.0.0/16', '100::/96'),
  encapsulations: ['ipip', 'gue', 'gre'],
  guePort: 6_080,
  largestMss: { ipv4: 0, ipv6: 0 },
});
const link = attachXdp(decapsulator.programs[program], { interface: name, mode: 'native' });
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.on('end', () => {
  link.close();
  decapsulator.close();
});
