import type { ClientRequest, IncomingMessage } from 'node:http';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import { discoveryError } from '../discovery-error.ts';
import type { HttpRequest, HttpStream, StreamListener } from './http-port.ts';

/** What to wait for, and who hears what comes. */
export interface StreamUse {
  readonly request: HttpRequest;
  readonly listener: StreamListener;
}

/**
 * Waits for the head of an answer and hands its body on as it comes. The body does not flow before the caller has the
 * head, and nothing is heard after `close()`, an abort, or the end.
 */
export function openStream(
  call: ClientRequest,
  scheduler: Scheduler,
  { request, listener }: StreamUse,
): Promise<HttpStream> {
  const { timeoutMs, signal } = request;
  return new Promise((resolve, reject) => {
    let isOver = false;
    let answer: IncomingMessage | undefined;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      // Its connection is of no more use: the answer has no end.
      call.destroy();
      return true;
    };
    const fail = (problem: string, cause?: unknown): void => {
      if (!end()) return;
      if (answer === undefined) reject(discoveryError(problem, cause));
      else listener.onEnd(problem);
    };
    const onAbort = (): void => {
      if (end() && answer === undefined) reject(discoveryError('aborted'));
    };
    const timer = scheduler.after(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`));
    signal.addEventListener('abort', onAbort, { once: true });
    call.on('error', (error) => fail(messageOf(error), error));
    call.on('response', (incoming) => {
      if (isOver) return;
      answer = incoming;
      timer.cancel();
      incoming.on('error', (error) => fail(messageOf(error), error));
      incoming.on('end', () => fail('the stream has ended'));
      incoming.on('close', () => fail('the stream was cut off'));
      resolve({ close: () => void end() });
      listener.onHead(incoming.statusCode ?? 0);
      incoming.on('data', (chunk: Buffer) => {
        if (!isOver) listener.onData(chunk);
      });
    });
  });
}
