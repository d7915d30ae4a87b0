/** Attaches `decapsulate` or `pass` to an interface of its namespace until its input ends. */
import { attachXdp, loadObject } from '@evenkeel/bpf';
import { real } from './generated/real.ts';

const [name, program] = process.argv.slice(2) as [string, 'decapsulate' | 'pass'];
const object = loadObject(real);
const link = attachXdp(object.programs[program], { interface: name, mode: 'native' });
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.on('end', () => {
  link.close();
  object.close();
});
