import { readTextFile } from '../../file/read-file.ts';
import { EvenkeelError, messageOf } from '../../../error/evenkeel-error.ts';
import { redactText } from '../../../error/redact.ts';
import { discoveryError } from '../../discovery-error.ts';
import type { ConsulConnection } from './connection-config.ts';
import type { HttpAnswer, HttpPort } from '../../http/http-port.ts';

export interface ConsulCall {
  readonly method?: 'GET' | 'PUT';
  /** Below the root, with encoded parts: `/v1/health/service/users`. */
  readonly path: string;
  /** Parameters in order; those without a value are left out. A flag has the value ''. */
  readonly query?: readonly (readonly [name: string, value: string | undefined])[];
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** Default: that of the connection. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

const MAX_TOKEN_BYTES = 65_536;
/** Of a refusal, so much is told; Consul's are one line. */
const MAX_REASON_LENGTH = 200;

/** Consul answered, and said no. */
export class ConsulRefusal extends EvenkeelError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('EVENKEEL_DISCOVERY', message, { retryable: true });
    this.status = status;
  }
}

/** Calls to one agent or server: adds the token and the namespace, and makes errors of everything but 2xx. */
export class ConsulClient {
  readonly #connection: ConsulConnection;
  readonly #http: HttpPort;

  constructor(connection: ConsulConnection, http: HttpPort) {
    this.#connection = connection;
    this.#http = http;
  }

  /** @throws ConsulRefusal for an answer with an error; EvenkeelError when there is none */
  async call(call: ConsulCall): Promise<HttpAnswer> {
    const { namespace, partition, timeoutMs } = this.#connection;
    const parameters = [
      ...(call.query ?? []),
      ['ns', namespace],
      ['partition', partition],
    ] as const;
    const token = await this.#token();
    const answer = await this.#http.send({
      method: call.method ?? 'GET',
      path: withQuery(call.path, parameters),
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { 'x-consul-token': token }),
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      timeoutMs: call.timeoutMs ?? timeoutMs,
      signal: call.signal,
    });
    if (answer.status < 200 || answer.status > 299) throw refusalOf(answer);
    return answer;
  }

  close(): void {
    this.#http.close();
  }

  /** A file is read every time: whoever rotates tokens replaces it, and the old token is worth nothing from then on. */
  async #token(): Promise<string | undefined> {
    const { token } = this.#connection;
    if (token?.kind !== 'file') return token?.text;
    try {
      const text = (await readTextFile(token.path, MAX_TOKEN_BYTES)).text.trim();
      if (text === '' || /[^\x21-\x7e]/.test(text)) throw discoveryError('holds no token');
      return text;
    } catch (error) {
      throw discoveryError(`token file ${token.path}: ${messageOf(error)}`, error);
    }
  }
}

function withQuery(
  path: string,
  parameters: readonly (readonly [name: string, value: string | undefined])[],
): string {
  const given = parameters
    .filter(([, value]) => value !== undefined)
    .map(([name, value = '']) => (value === '' ? name : `${name}=${encodeURIComponent(value)}`));
  return given.length === 0 ? path : `${path}?${given.join('&')}`;
}

function refusalOf({ status, body }: HttpAnswer): ConsulRefusal {
  const text = body.subarray(0, 4 * MAX_REASON_LENGTH).toString('utf8');
  const line = redactText(text.split('\n', 1)[0] ?? '').slice(0, MAX_REASON_LENGTH);
  const hint = status === 403 ? ' (does the ACL token allow it?)' : '';
  return new ConsulRefusal(status, `answered ${status}${hint}${line === '' ? '' : `: ${line}`}`);
}
