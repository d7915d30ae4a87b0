/** A program on an interface that lets everything through: what XDP_TX at the other end of a veth needs. */
import { attachXdp, loadObject } from '@evenkeel/bpf';
import { decap } from '../generated/decap.ts';

const object = loadObject(decap);
const link = attachXdp(object.programs.pass, {
  interface: process.argv[2] as string,
  mode: 'native',
});
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.on('end', () => {
  link.close();
  object.close();
});
