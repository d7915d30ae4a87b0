/** The client: each line of its input is a request as JSON, see {@link ClientRequest}, and is answered with a line. */
import { createInterface } from 'node:readline';
import { type ClientRequest, datagrams, names, transfer } from './client-traffic.ts';
import { HeldFlows } from './held-flows.ts';

const held = new Map<string, HeldFlows>();

async function answer(request: ClientRequest): Promise<unknown> {
  switch (request.do) {
    case 'names':
      return names(request.host, request.count);
    case 'transfer':
      return Promise.all(
        Array.from({ length: request.count }, (_, index) => transfer(request, `s${index}`)),
      );
    case 'datagrams':
      return datagrams(request.host, request.sizes);
    case 'hold': {
      const flows = await HeldFlows.open(request.host, request);
      held.set(request.name, flows);
      return flows.report();
    }
    case 'report':
      return held.get(request.name)?.report();
    case 'release': {
      const flows = held.get(request.name);
      held.delete(request.name);
      return flows?.close();
    }
  }
}

process.stdout.write('ready\n');
let last: Promise<void> = Promise.resolve();
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as ClientRequest;
  const answered = answer(request).catch((error: unknown) => ({ error: String(error) }));
  const before = last;
  last = (async (): Promise<void> => {
    await before;
    process.stdout.write(`${JSON.stringify(await answered)}\n`);
  })();
}
process.exit(0);
