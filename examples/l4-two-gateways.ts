/**
 * Two edge gateways that share the work, and three reals that answer clients directly, all of them network namespaces of
 * this machine. Downloads go on while each gateway in turn leaves the router's routes and comes back, and while a real is
 * told to drain.
 *
 *     client -- router -- gateway1, gateway2   equal routes to the VIP
 *                 |------ real1, real2, real3
 *
 * Takes Linux 5.15, root and `ip`. docs/guides/l4-topologies.md tells what is laid here, and why.
 *
 * Run: sudo node --conditions=@evenkeel/source examples/l4-two-gateways.ts
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Machines } from './support/namespaces.ts';

const VIP = '10.200.1.1'; // routed nowhere but in here
const REALS = ['real1', 'real2', 'real3'];
const GATEWAYS = ['gateway1', 'gateway2'];
const folder = await mkdtemp(join(tmpdir(), 'evenkeel-example-'));
const node = [process.execPath, '--conditions=@evenkeel/source'];
const bin = fileURLToPath(
  new URL('../packages/l4-gateway/bin/evenkeel-gateway.js', import.meta.url),
);
const evenkeel = [...node, bin];
// A network card sends all packets of a connection to one CPU, which remembers it. Virtual wires have that of whoever sends.
const pinned = ['taskset', '-c', firstCpu(), ...node];
const nameOf = (gateway: string): string => `${gateway}-${process.pid}`;

/** The same for both gateways but for the name, so that both place connections in the same way. */
const config = (gateway: string): string => `name: ${nameOf(gateway)}
interface: eth0
mode: generic # of XDP; in namespaces the driver's own asks more of the wires
vips:
  - { address: ${VIP}, port: 80, cluster: web }
clusters:
  web:
    discovery: { file: { path: ${join(folder, 'reals.yaml')} } }
    health: { tcp: { interval: 200ms, timeout: 1s } }
`;
const writeReals = (weights: readonly number[]): Promise<void> =>
  writeFile(
    join(folder, 'reals.yaml'),
    weights
      .map((weight, index) => `- { host: 10.3.${index + 1}.2, port: 80, weight: ${weight} }\n`)
      .join(''),
  );

// A page that takes two seconds to arrive, in twenty pieces.
const SERVER = `require('node:http').createServer((_, response) => {
  let pieces = 0;
  const timer = setInterval(() => {
    pieces += 1;
    response.write(process.argv[1] + '\\n');
    if (pieces === 20) { clearInterval(timer); response.end(); }
  }, 100);
  response.on('close', () => clearInterval(timer));
}).listen(80, () => console.log('listening'))`;
const DOWNLOAD = `const pages = await Promise.all(Array.from({ length: 16 }, async () => {
  const response = await fetch('http://${VIP}/', { headers: { connection: 'close' } });
  if (response.ok) console.error('begun');
  const lines = (await response.text()).trim().split('\\n');
  return lines.length === 20 && new Set(lines).size === 1 ? lines[0] : 'broken';
}));
const counts = Object.entries(Object.groupBy(pages.sort(), (name) => name));
console.log(counts.map(([name, of]) => of.length + ' from ' + name).join(', '));`;

const machines = new Machines();
try {
  machines.add('client', 'router', ...GATEWAYS, ...REALS);
  machines.wire('client', '10.1.0', 1_500);
  // Room for the outer header between router, gateways and reals.
  for (const [index, name] of GATEWAYS.entries()) machines.wire(name, `10.2.${index + 1}`, 1_600);
  for (const [index, name] of REALS.entries()) machines.wire(name, `10.3.${index + 1}`, 1_600);
  machines.in('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const device of ['all', ...GATEWAYS, ...REALS]) {
    machines.in('router', 'sysctl', '-qw', `net.ipv4.conf.${device}.rp_filter=0`);
  }
  // Connections are spread by addresses and ports, not by addresses alone.
  machines.in('router', 'sysctl', '-qw', 'net.ipv4.fib_multipath_hash_policy=1');
  const routeVia = (...gateways: readonly string[]): void => {
    const hops = gateways.flatMap((name) => ['nexthop', 'via', `10.2.${name.slice(-1)}.2`]);
    machines.in('router', 'ip', 'route', 'replace', VIP, ...hops);
  };
  routeVia(...GATEWAYS);

  await writeReals([1, 1, 1]);
  await Promise.all(
    REALS.map(async (name) => {
      const options = ['--vip', VIP, '--interface', 'eth0', '--state', join(folder, name)];
      await machines.start(name, 'ready: ', ...evenkeel, 'real', ...options);
      await machines.start(name, 'listening', ...pinned, '-e', SERVER, name);
    }),
  );
  await Promise.all(
    GATEWAYS.map(async (name) => {
      const path = join(folder, `${name}.yaml`);
      await writeFile(path, config(name));
      const run = [...evenkeel, 'run', '--config', path];
      await machines.start(name, 'ready: every VIP has a real', ...run);
    }),
  );

  /** Sixteen downloads, while something happens to them. */
  const during = async (what: string, happens: () => unknown): Promise<void> => {
    const command = [...pinned, '--input-type=module', '-e', DOWNLOAD];
    const client = await machines.start('client', 'begun\n'.repeat(16), ...command);
    const closed = once(client, 'close');
    let said = '';
    client.stdout?.on('data', (chunk: Buffer) => (said += String(chunk)));
    await happens();
    const [code] = (await closed) as [number | null];
    if (code !== 0) throw new Error(`${what} the client ended with ${code}`);
    console.log(`${what} ${said.trim()}`);
  };
  await during('both gateways forward: ', () => undefined);
  await during('gateway1 is taken out: ', () => routeVia('gateway2'));
  await during('the other way round:   ', () => routeVia('gateway1'));
  routeVia(...GATEWAYS);
  await during('real2 drains:          ', () => writeReals([1, 0, 1]));
  await during('and has drained:       ', () => undefined);
  console.log(machines.in('gateway1', ...evenkeel, 'status', '--name', nameOf('gateway1')));
} finally {
  await machines.close();
  await rm(folder, { recursive: true });
}

/** A CPU that this process may use. */
function firstCpu(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\d+)/mu.exec(status)?.[1] ?? '0';
}
