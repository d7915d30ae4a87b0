/** A gateway in a namespace of its own: serves one VIP on an interface until its input ends. */
import { openForwarder } from '../../index.ts';

const [name, nextHop, vip, ...reals] = process.argv.slice(2) as [string, string, string];
const forwarder = openForwarder({ nextHop, mtu: 1_600 });
const key = { address: vip, port: 80, protocol: 'tcp' } as const;
forwarder.addVip(
  key,
  reals.map((address) => ({ address })),
);
forwarder.attach({ interface: name, mode: 'native' });
process.stdout.write('ready\n');
process.stdin.on('data', (line) => {
  // A line with addresses: the reals from now on. Answered with what happened so far.
  const addresses = String(line).trim().split(' ').filter(Boolean);
  if (addresses.length > 0)
    forwarder.updateReals(
      key,
      addresses.map((address) => ({ address })),
    );
  const text = JSON.stringify(forwarder.statistics(), (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  process.stdout.write(`${text}\n`);
});
process.stdin.on('end', () => forwarder.close());
