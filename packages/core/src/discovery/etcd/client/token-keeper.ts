import { messageOf } from '../../../error/evenkeel-error.ts';
import { discoveryError } from '../../discovery-error.ts';
import { readTextFile } from '../../file/read-file.ts';
import type { EtcdCredentials } from './connection-config.ts';
import { EtcdRefusal } from './refusal.ts';
import type { Fields } from './wire.ts';

const MAX_PASSWORD_BYTES = 4_096;

/** Asks for a token: a call to `/v3/auth/authenticate`. */
export type Authenticate = (body: { name: string; password: string }) => Promise<Fields>;

/**
 * Keeps the token that stands for user and password. etcd forgets tokens: when they were not used for five minutes, when
 * a member restarts, when users or roles change. So a token is worth something until somebody says that it is not.
 */
export class TokenKeeper {
  readonly #credentials: EtcdCredentials | undefined;
  #token: string | undefined;
  /** The server does not want to know who we are. */
  #isUnwanted = false;

  constructor(credentials: EtcdCredentials | undefined) {
    this.#credentials = credentials;
  }

  /** @returns undefined where none is needed. @throws EtcdRefusal when etcd does not know user or password */
  async get(authenticate: Authenticate): Promise<string | undefined> {
    if (this.#credentials === undefined || this.#isUnwanted) return undefined;
    this.#token ??= await this.#ask(this.#credentials, authenticate);
    return this.#token;
  }

  /**
   * A token (undefined: its absence) was refused.
   *
   * @returns is it worth trying again?
   */
  forget(token: string | undefined): boolean {
    if (this.#credentials === undefined) return false;
    this.#isUnwanted = false;
    // Somebody else may have a newer one already.
    if (this.#token === token) this.#token = undefined;
    return true;
  }

  async #ask(
    { username, password }: EtcdCredentials,
    authenticate: Authenticate,
  ): Promise<string | undefined> {
    try {
      const answer = await authenticate({ name: username, password: await readPassword(password) });
      const token = answer['token'];
      if (typeof token === 'string' && /^[\x21-\x7e]{1,65536}$/.test(token)) return token;
      throw discoveryError('the answer has no token');
    } catch (error) {
      if (
        !(error instanceof EtcdRefusal) ||
        !/authentication is not enabled/i.test(error.message)
      ) {
        throw error;
      }
      this.#isUnwanted = true;
      return undefined;
    }
  }
}

async function readPassword(password: EtcdCredentials['password']): Promise<string> {
  if ('text' in password) return password.text;
  try {
    const { text } = await readTextFile(password.file, MAX_PASSWORD_BYTES);
    const line = text.replace(/\r?\n$/, '');
    if (line === '') throw discoveryError('is empty');
    return line;
  } catch (error) {
    throw discoveryError(`password file ${password.file}: ${messageOf(error)}`, error);
  }
}
