/** Sessions of ours on real sockets, for peers that are real, too. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { createRuntime } from '@evenkeel/core';
import { acceptStream, connectStream } from '../../../socket/socket-stream.ts';
import { Sweeper } from '../../../socket/sweeper.ts';
import type {
  Http2Session,
  Http2SessionOwner,
  Http2Stream,
  Http2StreamOwner,
} from '../../http2-stream.ts';
import { createHttp2Session } from '../session.ts';
import type { Http2Limits } from '../session-options.ts';
import { fieldsOf } from './field-text.ts';

const runtime = createRuntime();

export interface Message {
  readonly fields: Record<string, string>;
  readonly body: Buffer;
  readonly trailers: Record<string, string>;
}

/** Answers a request when it is whole. */
export type Handler = (request: Message, stream: Http2Stream, session: Http2Session) => void;

export interface OwnServer {
  readonly port: number;
  readonly sessions: Set<Http2Session>;
  /** Why sessions ended, and with which codes streams did. */
  readonly errors: string[];
  readonly codes: number[];
  close(): void;
}

export async function listenOwn(
  handler: Handler,
  limits: Partial<Http2Limits> = {},
): Promise<OwnServer> {
  const sweeper = new Sweeper(runtime);
  const sessions = new Set<Http2Session>();
  const errors: string[] = [];
  const codes: number[] = [];
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const owner: Http2SessionOwner = {
      onStream: (stream) =>
        collect(
          stream,
          (request) => handler(request, stream, session),
          (code) => codes.push(code),
        ),
      onGoaway: () => undefined,
      onSettings: () => undefined,
      onIdleChange: () => undefined,
      onClose: (error) => {
        sessions.delete(session);
        if (error !== undefined) errors.push(error.message);
      },
    };
    const session = createHttp2Session(owner, { role: 'server', runtime, sweeper, limits });
    sessions.add(session);
    session.attach(acceptStream(socket, session, true));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sessions,
    errors,
    codes,
    close: () => {
      for (const session of sessions) session.stream.destroy();
      // Its end is not waited for: the server goes on counting sockets whose handles were taken over.
      server.close();
      sweeper.close();
    },
  };
}

/** Gathers a message, and hands data on at once. */
export function collect(
  stream: Http2Stream,
  done: (message: Message) => void,
  closed: (code: number) => void,
): Http2StreamOwner {
  const chunks: Buffer[] = [];
  let fields: Record<string, string> = {};
  let trailers: Record<string, string> = {};
  const finish = (): void => done({ fields, body: Buffer.concat(chunks), trailers });
  return {
    onFields: (block, isEnd) => {
      fields = Object.fromEntries(fieldsOf(block)) as Record<string, string>;
      if (isEnd) finish();
    },
    onData: (bytes, from, to, isEnd) => {
      chunks.push(Buffer.from(bytes.subarray(from, to)));
      stream.consume(to - from);
      if (isEnd) finish();
    },
    onTrailers: (block) => {
      trailers = Object.fromEntries(fieldsOf(block)) as Record<string, string>;
      finish();
    },
    onDrain: () => undefined,
    onClose: closed,
  };
}

/** A head, a body, and trailers where there are any. */
export function answer(
  stream: Http2Stream,
  session: Http2Session,
  message: Partial<Message>,
): void {
  const { fields = {}, body = Buffer.alloc(0), trailers = {} } = message;
  session.fields.begin();
  for (const [name, value] of Object.entries(fields)) session.fields.text(name, value);
  const hasTrailers = Object.keys(trailers).length > 0;
  stream.sendFields(body.length === 0 && !hasTrailers);
  if (body.length > 0) stream.sendData(body, 0, body.length, !hasTrailers);
  if (!hasTrailers) return;
  session.fields.beginTrailers();
  for (const [name, value] of Object.entries(trailers)) session.fields.text(name, value);
  stream.sendFields(true);
}

export interface OwnClient {
  readonly session: Http2Session;
  /** Resolves with the answer, or rejects with the code of a stream that was broken off. */
  request(message: Partial<Message>): Promise<Message>;
  readonly closed: Promise<Error | undefined>;
}

export function connectOwn(port: number, limits: Partial<Http2Limits> = {}): OwnClient {
  const sweeper = new Sweeper(runtime);
  const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>();
  const owner: Http2SessionOwner = {
    onStream: () => {
      throw new Error('a server opened a stream');
    },
    onGoaway: () => undefined,
    onSettings: () => undefined,
    onIdleChange: () => undefined,
    onClose: (error) => {
      sweeper.close();
      resolve(error);
    },
  };
  const session = createHttp2Session(owner, { role: 'client', runtime, sweeper, limits });
  session.attach(connectStream({ host: '127.0.0.1', port }, session));
  return {
    session,
    closed,
    request: (message) => {
      const pending = Promise.withResolvers<Message>();
      let whole: Message | undefined = undefined;
      const stream: Http2Stream = session.open({
        ...collect(
          { consume: (count: number) => stream.consume(count) } as Http2Stream,
          (response) => {
            whole = response;
          },
          (code) =>
            whole === undefined
              ? pending.reject(new Error(`code ${code}`))
              : pending.resolve(whole),
        ),
      });
      answer(stream, session, message);
      return pending.promise;
    },
  };
}
