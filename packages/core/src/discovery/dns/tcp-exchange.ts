import { connect } from 'node:net';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import { discoveryError } from '../discovery-error.ts';
import type { ExchangeRequest } from './exchange.ts';
import type { DnsMessage } from './message.ts';

/**
 * Sends one query over a TCP connection of its own: a two-byte length, then the message (RFC 1035 section 4.2.2, RFC
 * 7766). Used when an answer was too long for UDP. The length field bounds what is buffered to 64 KiB.
 */
export function exchangeTcp(request: ExchangeRequest, scheduler: Scheduler): Promise<DnsMessage> {
  const { server, query, timeoutMs, signal, accept } = request;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(discoveryError('closed'));
      return;
    }
    const socket = connect({ host: server.host, port: server.port, noDelay: true });
    const frame = new FrameReader();
    let settled = false;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      finish();
    };
    const fail = (reason: string, cause?: unknown): void =>
      settle(() => reject(discoveryError(`over TCP: ${reason}`, cause)));
    const onAbort = (): void => fail('closed');
    const timer = scheduler.after(timeoutMs, () =>
      fail(`no answer within ${Math.round(timeoutMs)} ms`),
    );
    signal.addEventListener('abort', onAbort, { once: true });

    socket.on('error', (error) => fail(messageOf(error), error));
    socket.on('close', () => fail('the connection was closed before the answer was complete'));
    socket.on('connect', () => socket.write(frameOf(query)));
    socket.on('data', (chunk) => {
      // Text comes only from a socket with an encoding set.
      const bytes = frame.push(chunk as Uint8Array);
      if (bytes === undefined) return;
      try {
        const message = accept(bytes);
        if (message === undefined) fail('the answer belongs to another question');
        else settle(() => resolve(message));
      } catch (error) {
        settle(() => reject(error as Error));
      }
    });
  });
}

function frameOf(query: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(query.length + 2);
  new DataView(bytes.buffer).setUint16(0, query.length);
  bytes.set(query, 2);
  return bytes;
}

/** Collects the chunks of one frame; whatever follows it is dropped. */
class FrameReader {
  readonly #header = new Uint8Array(2);
  #headerLength = 0;
  #body: Uint8Array | undefined;
  #bodyLength = 0;

  /** @returns the message once it is complete */
  push(chunk: Uint8Array): Uint8Array | undefined {
    let offset = 0;
    while (this.#headerLength < 2 && offset < chunk.length) {
      this.#header[this.#headerLength] = chunk[offset] as number;
      this.#headerLength += 1;
      offset += 1;
    }
    if (this.#headerLength < 2) return undefined;
    this.#body ??= new Uint8Array(new DataView(this.#header.buffer).getUint16(0));
    const part = chunk.subarray(offset, offset + this.#body.length - this.#bodyLength);
    this.#body.set(part, this.#bodyLength);
    this.#bodyLength += part.length;
    return this.#bodyLength === this.#body.length ? this.#body : undefined;
  }
}
