/**
 * Flows that go on while things happen. Each connection sends a number every 20 ms and waits for its echo; each datagram
 * flow sends one every 10 ms without waiting.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';

export interface FlowReport {
  readonly connections: readonly {
    /** Who answers. */
    readonly real: string;
    readonly echoed: number;
    readonly failure?: string;
  }[];
  readonly datagrams: readonly {
    readonly sent: number;
    readonly received: number;
    readonly reals: readonly string[];
  }[];
}

const STEP_MS = 20;
const DATAGRAM_STEP_MS = 10;
/** Whatever is still on its way takes no longer on wires of one machine. */
const ON_ITS_WAY_MS = 300;

class HeldConnection {
  readonly socket: Socket;
  real = '';
  failure: string | undefined;
  #sent = 0;
  #echoed = 0;
  #text = '';

  constructor(host: string) {
    this.socket = connect({ host, port: 7 });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk: Buffer) => this.#read(String(chunk)));
    this.socket.on('error', (error) => (this.failure = error.message));
    this.socket.on('close', () => (this.failure ??= 'closed'));
  }

  get echoed(): number {
    return this.#echoed;
  }

  send(): void {
    if (this.failure !== undefined || this.#sent > this.#echoed) return;
    this.socket.write(`${this.#sent}\n`);
    this.#sent += 1;
  }

  #read(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (this.real === '') this.real = line;
      else if (line === String(this.#echoed)) this.#echoed += 1;
      else this.failure = `expected ${this.#echoed}, got ${line}`;
    }
  }
}

class DatagramFlow {
  readonly socket: DatagramSocket;
  readonly reals = new Set<string>();
  sent = 0;
  received = 0;

  constructor(host: string) {
    this.socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.socket.on('error', () => undefined);
    this.socket.on('message', (message) => {
      this.received += 1;
      this.reals.add(String(message).split(' ')[0] ?? '');
    });
    this.socket.connect(7, host);
  }

  send(): void {
    this.sent += 1;
    this.socket.send(String(this.sent));
  }
}

export class HeldFlows {
  readonly #connections: readonly HeldConnection[];
  readonly #flows: readonly DatagramFlow[];
  readonly #timers: readonly NodeJS.Timeout[];

  /** Resolves once every connection knows who answers. @throws Error when one fails before */
  static async open(
    host: string,
    { connections, datagrams }: { readonly connections: number; readonly datagrams: number },
  ): Promise<HeldFlows> {
    const held = Array.from({ length: connections }, () => new HeldConnection(host));
    const flows = Array.from({ length: datagrams }, () => new DatagramFlow(host));
    await Promise.all([
      ...held.map(({ socket }) => once(socket, 'data')),
      ...flows.map(({ socket }) => once(socket, 'connect')),
    ]);
    return new HeldFlows(held, flows);
  }

  /** Use {@link HeldFlows.open}. */
  constructor(connections: readonly HeldConnection[], flows: readonly DatagramFlow[]) {
    this.#connections = connections;
    this.#flows = flows;
    this.#timers = [
      setInterval(() => connections.forEach((one) => one.send()), STEP_MS),
      setInterval(() => flows.forEach((one) => one.send()), DATAGRAM_STEP_MS),
    ];
  }

  report(): FlowReport {
    return {
      connections: this.#connections.map(({ real, echoed, failure }) =>
        failure === undefined ? { real, echoed } : { real, echoed, failure },
      ),
      datagrams: this.#flows.map(({ sent, received, reals }) => ({
        ...{ sent, received },
        reals: [...reals],
      })),
    };
  }

  /** Ends the flows. @returns what became of them, once nothing is on its way any more */
  async close(): Promise<FlowReport> {
    for (const timer of this.#timers) clearInterval(timer);
    await new Promise((resolve) => setTimeout(resolve, ON_ITS_WAY_MS));
    const report = this.report();
    for (const { socket } of this.#connections) socket.resetAndDestroy();
    for (const { socket } of this.#flows) socket.close();
    return report;
  }
}
