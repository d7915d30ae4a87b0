import { Outcome } from '../../../model/outcome.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { HttpRequest, StreamingHttpPort } from '../../http/http-port.ts';
import type { HttpTarget } from '../../http/http-target.ts';
import type { EtcdConnection } from './connection-config.ts';
import { parseJson } from './json-lines.ts';
import { type MemberCall, Members, outcomeOfFailure, type Preference } from './members.ts';
import { EtcdRefusal, refusalOf } from './refusal.ts';
import { TokenKeeper } from './token-keeper.ts';
import { openWatch, type OpenWatch, type WatchListener } from './open-watch.ts';
import { type Fields, fieldsOf } from './wire.ts';

/** A request of the JSON gateway. All that are used here may be repeated without harm. */
export interface EtcdCall {
  /** `/v3/kv/range`. */
  readonly path: string;
  readonly body: object;
  readonly signal: AbortSignal;
  readonly prefer?: Preference | undefined;
}

export interface EtcdAnswer {
  readonly fields: Fields;
  /** Of the member that answered. */
  readonly slot: number;
}

export interface WatchCall {
  /** A `WatchCreateRequest`. */
  readonly create: object;
  readonly signal: AbortSignal;
  readonly prefer?: Preference | undefined;
}

/** A member that fails is answered for by another one, once per call. */
const MAX_ATTEMPTS = 2;

/** Calls to the members of one etcd cluster: chooses one, adds the token, and makes errors of everything but answers. */
export class EtcdClient {
  readonly #timeoutMs: number;
  readonly #members: Members;
  readonly #runtime: Runtime;
  readonly #tokens: TokenKeeper;

  constructor(
    connection: EtcdConnection,
    runtime: Runtime,
    connect: (target: HttpTarget) => StreamingHttpPort,
  ) {
    this.#timeoutMs = connection.timeoutMs;
    this.#runtime = runtime;
    this.#members = new Members(connection.members, runtime, connect);
    this.#tokens = new TokenKeeper(connection.credentials);
  }

  /** @throws EtcdRefusal for an answer with an error; EvenkeelError when there is none */
  call(call: EtcdCall): Promise<EtcdAnswer> {
    return this.#withToken(call.signal, (token) => this.#callAny(call, token));
  }

  /**
   * Opens a watch. Resolves when the member has confirmed it; the listener hears what comes then.
   *
   * @throws EvenkeelError when it does not come about within the time of a call
   */
  watch({ create, signal, prefer }: WatchCall, listener: WatchListener): Promise<OpenWatch> {
    return this.#withToken(signal, (token) => {
      const member = this.#members.begin(prefer);
      const request = {
        ...this.#requestOf('/v3/watch', { create_request: create }, signal),
        // A member that has lost its leader ends the watch instead of going on with what it last knew.
        headers: { ...headersOf(token), 'grpc-metadata-hasleader': 'true' },
      };
      return openWatch({ member, request, runtime: this.#runtime, listener });
    });
  }

  close(): Promise<void> {
    return this.#members.close();
  }

  /** Runs with the token; a second time with a new one when that was the problem. */
  async #withToken<T>(
    signal: AbortSignal,
    run: (token: string | undefined) => Promise<T>,
  ): Promise<T> {
    const authenticate = async (body: object): Promise<Fields> => {
      const call = { path: '/v3/auth/authenticate', body, signal };
      return (await this.#callAny(call, undefined)).fields;
    };
    const token = await this.#tokens.get(authenticate);
    try {
      return await run(token);
    } catch (error) {
      const isOver = !(error instanceof EtcdRefusal) || !error.isTokenProblem || signal.aborted;
      if (isOver || !this.#tokens.forget(token)) throw error;
      return run(await this.#tokens.get(authenticate));
    }
  }

  async #callAny(call: EtcdCall, token: string | undefined): Promise<EtcdAnswer> {
    const failed: number[] = [...(call.prefer?.avoid ?? [])];
    for (let attempt = 1; ; attempt += 1) {
      const stickTo = attempt === 1 ? call.prefer?.stickTo : undefined;
      const member = this.#members.begin({ stickTo, avoid: failed });
      try {
        return { slot: member.slot, fields: await this.#callOne(call, member, token) };
      } catch (error) {
        const isRefusal = error instanceof EtcdRefusal && !error.isFault;
        const isLast = attempt >= Math.min(MAX_ATTEMPTS, this.#members.size);
        if (isRefusal || isLast || call.signal.aborted) throw error;
        failed.push(member.slot);
      }
    }
  }

  async #callOne(
    { path, body, signal }: EtcdCall,
    member: MemberCall,
    token: string | undefined,
  ): Promise<Fields> {
    const request = { ...this.#requestOf(path, body, signal), headers: headersOf(token) };
    try {
      const { status, body: content } = await member.http.send(request);
      if (status !== 200) throw refusalOf(status, content);
      const fields = fieldsOf(parseJson(content.toString('utf8')), 'the answer');
      member.finish(Outcome.success);
      return fields;
    } catch (error) {
      if (signal.aborted) member.finish(Outcome.cancelled);
      else if (!(error instanceof EtcdRefusal)) member.finish(outcomeOfFailure(error));
      else member.finish(error.isFault ? Outcome.serverError : Outcome.success);
      throw error;
    }
  }

  #requestOf(
    path: string,
    body: object,
    signal: AbortSignal,
  ): Pick<HttpRequest, 'method' | 'path' | 'body' | 'timeoutMs' | 'signal'> {
    return { method: 'POST', path, body: JSON.stringify(body), timeoutMs: this.#timeoutMs, signal };
  }
}

function headersOf(token: string | undefined): Record<string, string> {
  return {
    accept: 'application/json',
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: token }),
  };
}
