import { readFileSync } from 'node:fs';
import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as SecureAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import { discoveryError } from '../discovery-error.ts';
import type {
  HttpAnswer,
  HttpRequest,
  HttpStream,
  StreamingHttpPort,
  StreamListener,
} from './http-port.ts';
import type { HttpTarget, TlsFiles } from './http-target.ts';
import { openStream } from './open-stream.ts';

/** 10,000 instances of Consul with a few checks each took 9 MB; far more than that is somebody's mistake. */
const MAX_BODY_BYTES: number = 256 * 1024 * 1024;
/** One call at a time, one that is just being given up, and a stream beside its successor. */
const MAX_SOCKETS = 4;
/** Begins to probe idle connections, so that the system notices some of the dead ones before we do. */
const KEEP_ALIVE_MS = 10_000;

/** Which server, and how it is trusted. */
export interface HttpConnection {
  readonly target: HttpTarget;
  readonly tls: TlsFiles;
}

/**
 * HTTP on `node:http`, and not on the package `consul`, for what a watch must be able to rely on. Measured with 2.0.1: a
 * connection that breaks off within an answer leaves its promise pending until a timeout, which a blocking query cannot
 * have short; a body may be of any size; and its timers are no ports.
 *
 * One call at a time is meant, beside a stream. After a failure no connection is trusted: all are cut, and certificates
 * are read anew.
 */
export class NodeHttp implements StreamingHttpPort {
  readonly #connection: HttpConnection;
  readonly #scheduler: Scheduler;
  #agent: Agent | undefined;
  #closed = false;

  constructor(connection: HttpConnection, scheduler: Scheduler) {
    this.#connection = connection;
    this.#scheduler = scheduler;
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#exchange(request, true);
    } catch (error) {
      // Who aborts goes on with another call, which may have begun already; an aborted call has cut its own connection.
      if (!request.signal.aborted) this.#dropConnections();
      throw error;
    }
  }

  async open(request: HttpRequest, listener: StreamListener): Promise<HttpStream> {
    try {
      if (this.#closed || request.signal.aborted) throw discoveryError('aborted');
      // No repetition: a stream is opened seldom, and whoever opens it has to be able to do so again anyway.
      return await openStream(this.#open(request), this.#scheduler, { request, listener });
    } catch (error) {
      if (!request.signal.aborted) this.#dropConnections();
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    this.#dropConnections();
  }

  /** @param mayRepeat a kept connection may have been closed by the other side at that very moment: once is normal */
  async #exchange(request: HttpRequest, mayRepeat: boolean): Promise<HttpAnswer> {
    const { signal } = request;
    if (this.#closed || signal.aborted) throw discoveryError('aborted');
    const call = this.#open(request);
    try {
      return await this.#settled(call, request);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (mayRepeat && call.reusedSocket && code === 'ECONNRESET' && !signal.aborted) {
        return this.#exchange(request, false);
      }
      throw error;
    }
  }

  #open({ method, path, headers, body }: HttpRequest): ClientRequest {
    const { target, tls } = this.#connection;
    const secure = target.kind === 'tcp' && target.secure;
    this.#agent ??= secure ? createSecureAgent(tls) : new Agent(AGENT_OPTIONS);
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      path: target.kind === 'tcp' ? target.prefix + path : path,
      headers: { ...headers, 'content-length': Buffer.byteLength(body ?? '') },
      ...(target.kind === 'tcp'
        ? { host: target.host, port: target.port }
        : { socketPath: target.path }),
    };
    const call = secure ? httpsRequest(options) : httpRequest(options);
    // A library must not hold a finished program open; the agent undoes this whenever it hands a socket out.
    call.on('socket', (socket) => socket.unref());
    call.end(body);
    return call;
  }

  #settled(call: ClientRequest, { timeoutMs, signal }: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        settle();
        // Errors that come of the destruction find a promise that is settled.
        call.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(discoveryError('aborted'));
      const timer = this.#scheduler.after(timeoutMs, () =>
        fail(discoveryError(`no whole answer within ${timeoutMs} ms`)),
      );
      const settle = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      call.on('error', fail);
      call.on('response', (answer) => {
        collect(answer, fail, (body) => {
          settle();
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
        });
      });
    });
  }

  #dropConnections(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }
}

const AGENT_OPTIONS = {
  keepAlive: true,
  keepAliveMsecs: KEEP_ALIVE_MS,
  maxSockets: MAX_SOCKETS,
  maxFreeSockets: 2,
} as const;

/** Read when connecting, and synchronously: three small local files, once per connection that broke. */
function createSecureAgent(tls: TlsFiles): SecureAgent {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw discoveryError(`TLS file: ${messageOf(error)}`, error);
    }
  };
  const { caFile, certFile, keyFile, servername, rejectUnauthorized } = tls;
  return new SecureAgent({
    ...AGENT_OPTIONS,
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
    ...(certFile === undefined ? {} : { cert: read(certFile) }),
    ...(keyFile === undefined ? {} : { key: read(keyFile) }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: rejectUnauthorized ?? true,
  });
}

function collect(
  answer: IncomingMessage,
  fail: (error: Error) => void,
  done: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  answer.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) fail(discoveryError(`answer larger than ${MAX_BODY_BYTES} bytes`));
    else chunks.push(chunk);
  });
  answer.on('error', fail);
  answer.on('end', () => done(Buffer.concat(chunks, length)));
  // `close` without `end`: the connection broke off within the body.
  answer.on('close', () => {
    if (!answer.complete) fail(discoveryError('the answer was cut off'));
  });
}
