/** What the client does that ends by itself. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request as send } from 'node:http';
import { isIPv6 } from 'node:net';
import { content, hashOf } from './content.ts';

export type ClientRequest =
  /** Who answers so many connections? */
  | { readonly do: 'names'; readonly host: string; readonly count: number }
  /** So many transfers at a time. */
  | TransferRequest
  /** One flow for each size. */
  | { readonly do: 'datagrams'; readonly host: string; readonly sizes: readonly number[] }
  /** Flows that go on; see `held-flows.ts`. */
  | HoldRequest
  | { readonly do: 'report' | 'release'; readonly name: string };

export interface TransferRequest {
  readonly do: 'transfer';
  readonly direction: 'up' | 'down';
  readonly host: string;
  readonly bytes: number;
  readonly count: number;
}

export interface HoldRequest {
  readonly do: 'hold';
  readonly name: string;
  readonly host: string;
  readonly connections: number;
  readonly datagrams: number;
}

/** What came of a transfer. */
export interface Transferred {
  readonly real: string;
  /** Is it what was sent? */
  readonly isEqual: boolean;
  readonly error?: string;
}

interface Answer {
  readonly real: string;
  readonly body: Buffer;
}

const LIMIT_MS = 15_000;

function ask(host: string, path: string, body?: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const method = body === undefined ? 'GET' : 'POST';
  const outgoing = send({ host, path, method, agent: false, timeout: LIMIT_MS }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      resolve({ real: String(response.headers['x-real']), body: Buffer.concat(chunks) });
    });
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${LIMIT_MS} ms`)));
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

export async function names(host: string, count: number): Promise<string[]> {
  const one = async (): Promise<string> => (await ask(host, '/')).real;
  return Promise.all(Array.from({ length: count }, one));
}

export async function transfer(
  { direction, host, bytes }: TransferRequest,
  seed: string,
): Promise<Transferred> {
  const wanted = content(bytes, seed);
  try {
    if (direction === 'down') {
      const { real, body } = await ask(host, `/bytes/${bytes}/${seed}`);
      return { real, isEqual: body.equals(wanted) };
    }
    const { real, body } = await ask(host, '/', wanted);
    return { real, isEqual: String(body) === hashOf(wanted) };
  } catch (error) {
    return { real: '', isEqual: false, error: String(error) };
  }
}

/** @returns who answered each, with what was sent */
export async function datagrams(host: string, sizes: readonly number[]): Promise<string[]> {
  const one = async (bytes: number): Promise<string> => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const sent = content(bytes, 'udp');
    socket.connect(7, host);
    await once(socket, 'connect');
    socket.send(sent);
    const [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })) as [
      Buffer,
    ];
    socket.close();
    const [name = ''] = message.toString('latin1').split(' ');
    if (!message.subarray(name.length + 1).equals(sent)) throw new Error('it was changed');
    return name;
  };
  return Promise.all(sizes.map(one));
}
