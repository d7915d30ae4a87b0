/**
 * A client that keeps flows going: `edge-client.ts VIP CONNECTIONS DATAGRAM-FLOWS`.
 *
 * Each connection sends a number every 20 ms and waits for its echo; each datagram flow does so every 5 ms without
 * waiting. A line on the input is answered with what happened since the start, as JSON; `quit` ends the sending first
 * and waits for what is on its way.
 */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const [vip, connections, flows] = process.argv.slice(2) as [string, string, string];

interface Connection {
  readonly socket: Socket;
  real: string;
  sent: number;
  echoed: number;
  failure: string | undefined;
}

const STEP_MS = 20;
const DATAGRAM_STEP_MS = 5;
const all: Connection[] = [];
let isSending = true;

function open(): Promise<void> {
  const socket = connect({ host: vip, port: 7 });
  const connection: Connection = { socket, real: '', sent: 0, echoed: 0, failure: undefined };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.setNoDelay(true);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (connection.real === '') {
        connection.real = line;
        resolve();
      } else if (line === String(connection.echoed)) connection.echoed += 1;
      else connection.failure = `expected ${connection.echoed}, got ${line}`;
    }
  });
  socket.on('error', (error) => {
    connection.failure = error.message;
    reject(error);
  });
  socket.on('close', () => {
    connection.failure ??= 'closed';
  });
  all.push(connection);
  return promise;
}

interface DatagramFlow {
  sent: number;
  received: number;
  readonly reals: Set<string>;
}

const datagramFlows: DatagramFlow[] = [];

function openDatagramFlow(): void {
  const flow: DatagramFlow = { sent: 0, received: 0, reals: new Set() };
  const socket = createSocket('udp4');
  socket.on('message', (message) => {
    flow.received += 1;
    flow.reals.add(message.toString().split(' ')[0] as string);
  });
  socket.connect(7, vip, () => {
    setInterval(() => {
      if (!isSending) return;
      flow.sent += 1;
      socket.send(String(flow.sent));
    }, DATAGRAM_STEP_MS);
  });
  socket.on('error', () => undefined);
  datagramFlows.push(flow);
}

await Promise.all(Array.from({ length: Number(connections) }, open));
for (let index = 0; index < Number(flows); index += 1) openDatagramFlow();
setInterval(() => {
  if (!isSending) return;
  for (const connection of all) {
    if (connection.failure !== undefined || connection.sent > connection.echoed) continue;
    connection.socket.write(`${connection.sent}\n`);
    connection.sent += 1;
  }
}, STEP_MS);
process.stdout.write('ready\n');

function report(): string {
  return JSON.stringify({
    connections: all.map(({ real, sent, echoed, failure }) => ({ real, sent, echoed, failure })),
    datagrams: datagramFlows.map(({ sent, received, reals }) => ({
      sent,
      received,
      reals: [...reals],
    })),
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'quit') {
    isSending = false;
    // Whatever is still on its way takes no longer on three wires of one machine.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  process.stdout.write(`${report()}\n`);
}
process.exit(0);
