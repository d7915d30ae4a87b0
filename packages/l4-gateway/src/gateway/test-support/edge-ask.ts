/** Connects to port 7 of a VIP from a given port, and prints which real answered: `edge-ask.ts VIP LOCAL-PORT`. */
import { once } from 'node:events';
import { connect } from 'node:net';

const [host, localPort] = process.argv.slice(2) as [string, string];
const socket = connect({ host, port: 7, localPort: Number(localPort) });
const [chunk] = (await once(socket, 'data')) as [Buffer];
console.log(chunk.toString().trim());
socket.resetAndDestroy();
