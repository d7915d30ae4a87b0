/**
 * Attaches XDP to an interface, optionally pins, says so, and then waits to be ended.
 *
 *     node attach-and-wait.ts <interface> [<folder for pins>]
 */
import { attachXdp, loadObject, pin } from '../../index.ts';
import { basic } from './generated/basic.ts';

const [name = '', folder] = process.argv.slice(2);
const object = loadObject(basic);
const link = attachXdp(object.programs.countPackets, { interface: name, mode: 'generic' });
if (folder !== undefined) {
  pin(object.maps.stats, `${folder}/stats`);
  pin(link, `${folder}/link`);
}
console.log('attached');
setInterval(() => undefined, 60_000);
