/**
 * An edge gateway between a client and two reals, all of them network namespaces of this machine: connections are spread
 * over the reals, which answer the client directly; a real that dies is taken out; a gateway that is killed goes on
 * forwarding, and the next one takes over.
 *
 *     client -- router -- gateway
 *                 |---- real1, real2
 *
 * Takes Linux 5.15, root and `ip`.
 *
 * Run: sudo node --conditions=@evenkeel/source examples/l4-gateway.ts
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { end, Machines } from './support/namespaces.ts';

const VIP = '10.200.1.1'; // routed nowhere but in here
const NAME = `demo-${process.pid}`;
const folder = await mkdtemp(join(tmpdir(), 'evenkeel-example-'));
const node = [process.execPath, '--conditions=@evenkeel/source'];
const bin = fileURLToPath(
  new URL('../packages/l4-gateway/bin/evenkeel-gateway.js', import.meta.url),
);
const evenkeel = [...node, bin];

// In namespaces the gateway runs in generic mode: the driver's own asks more of virtual wires than an example should.
const config = join(folder, 'edge.yaml');
await writeFile(
  config,
  `name: ${NAME}
interface: eth0
mode: generic
vips:
  - { address: ${VIP}, port: 80, cluster: web }
clusters:
  web:
    discovery: ["10.3.1.2:80", "10.3.2.2:80"]
    health: { tcp: { interval: 100ms, timeout: 200ms, fall: 2 } }
`,
);

const SERVER = `require('node:http').createServer((_, response) => response.end(process.argv[1]))
  .listen(80, () => console.log('listening'))`;
const ASK = `const answers = {};
for (let turn = 0; turn < 20; turn += 1) {
  const response = await fetch('http://${VIP}/', { headers: { connection: 'close' }, signal: AbortSignal.timeout(5000) });
  const name = await response.text();
  answers[name] = (answers[name] ?? 0) + 1;
}
console.log(Object.keys(answers).sort().join(' and '));`;

const machines = new Machines();
try {
  machines.add('client', 'router', 'gateway', 'real1', 'real2');
  machines.wire('client', '10.1.0', 1_500);
  machines.wire('gateway', '10.2.0', 1_600); // room for the outer header
  machines.wire('real1', '10.3.1', 1_600);
  machines.wire('real2', '10.3.2', 1_600);
  machines.in('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const device of ['all', 'gateway', 'real1', 'real2']) {
    machines.in('router', 'sysctl', '-qw', `net.ipv4.conf.${device}.rp_filter=0`);
  }
  machines.in('router', 'ip', 'route', 'add', VIP, 'via', '10.2.0.2');

  const ask = (): string => machines.in('client', ...node, '--input-type=module', '-e', ASK).trim();
  const real = ['--vip', VIP, '--interface', 'eth0'];
  await machines.start('real1', '\n', ...evenkeel, 'real', ...real, '--state', join(folder, '1'));
  await machines.start('real2', '\n', ...evenkeel, 'real', ...real, '--state', join(folder, '2'));
  await machines.start('real1', 'listening', ...node, '-e', SERVER, 'real1');
  const server = await machines.start('real2', 'listening', ...node, '-e', SERVER, 'real2');

  const run = [...evenkeel, 'run', '--config', config];
  const gateway = await machines.start('gateway', 'ready: every VIP has a real', ...run);
  console.log(`the gateway runs:     ${ask()} answer`);

  await end(server, 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // two checks, and some patience
  console.log(`real2 has died:       ${ask()} answers`);

  await end(gateway, 'SIGKILL');
  console.log(`the gateway, too:     ${ask()} answers, because the program in the kernel goes on`);

  await machines.start('real2', 'listening', ...node, '-e', SERVER, 'real2');
  await machines.start('gateway', 'ready: every VIP has a real', ...run);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  console.log(`both are back:        ${ask()} answer`);
  console.log(machines.in('gateway', ...evenkeel, 'status', '--name', NAME));
} finally {
  await machines.close();
  await rm(folder, { recursive: true });
}
