import { createSocket } from 'node:dgram';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import { discoveryError } from '../discovery-error.ts';
import type { ExchangeRequest } from './exchange.ts';
import type { DnsMessage } from './message.ts';

/** Datagrams passed over before a try is given up: somebody is guessing, or the server is confused. */
const MAX_STRAY_DATAGRAMS = 32;

/**
 * Sends one datagram and waits for its answer.
 *
 * Every exchange has a socket of its own, bound by the kernel to a random port and connected to the server, so that only
 * datagrams from that very address and port arrive (RFC 5452 section 9) and a closed port is known at once (ICMP)
 * instead of after the timeout. Together with the random id, an attacker who does not see the query has to guess
 * about 30 bits within one round trip.
 */
export function exchangeUdp(request: ExchangeRequest, scheduler: Scheduler): Promise<DnsMessage> {
  const { server, query, timeoutMs, signal, accept } = request;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(discoveryError('closed'));
      return;
    }
    const socket = createSocket(server.family === 6 ? 'udp6' : 'udp4');
    let strayCount = 0;
    let settled = false;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.close();
      finish();
    };
    const fail = (reason: string, cause?: unknown): void =>
      settle(() => reject(discoveryError(reason, cause)));
    const onAbort = (): void => fail('closed');
    const timer = scheduler.after(timeoutMs, () =>
      fail(`no answer within ${Math.round(timeoutMs)} ms`),
    );
    signal.addEventListener('abort', onAbort, { once: true });

    socket.on('error', (error) => fail(messageOf(error), error));
    socket.on('message', (bytes) => {
      try {
        const message = accept(bytes);
        if (message !== undefined) settle(() => resolve(message));
        else if (++strayCount >= MAX_STRAY_DATAGRAMS) fail('sends answers to other questions');
      } catch (error) {
        settle(() => reject(error as Error));
      }
    });
    socket.connect(server.port, server.host, () => {
      if (!settled) socket.send(query);
    });
  });
}
