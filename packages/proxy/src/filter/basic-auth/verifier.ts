/**
 * Who is behind a name and a password. Hashes are slow on purpose, so verdicts are kept, for right and wrong passwords
 * alike, under a keyed hash of what was sent; and only a few passwords are worked on at a time, so that a flood of
 * guesses does not take the processor.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Generations } from '../shared/generations.ts';
import { isPassword, type PasswordHash } from './password-hash.ts';

/** Threads of the pool that may work on hashes; file reads and DNS need the others (UV_THREADPOOL_SIZE is 4). */
const MAX_RUNNING = 2;
/** At 50 ms each the last one waits for about six seconds. */
const MAX_WAITING = 256;
const MAX_VERDICTS = 10_000;

export type Verdict = 'right' | 'wrong' | 'busy';

export class Verifier {
  readonly #users: ReadonlyMap<string, PasswordHash>;
  /** The slowest of all; stands in for unknown users, so that the time of an answer does not tell who exists. */
  readonly #nobody: PasswordHash;
  /** Of this process: what is kept cannot be looked up elsewhere. */
  readonly #secret = randomBytes(32);
  readonly #verdicts = new Generations<Verdict>(MAX_VERDICTS);
  readonly #pending = new Map<string, Promise<Verdict>>();
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;

  constructor(users: readonly { readonly name: string; readonly passwordHash: PasswordHash }[]) {
    this.#users = new Map(users.map(({ name, passwordHash }) => [name, passwordHash]));
    const hashes = users.map(({ passwordHash }) => passwordHash);
    this.#nobody = hashes.reduce((slow, hash) => (costOf(hash) > costOf(slow) ? hash : slow));
  }

  verify(name: string, password: string): Verdict | Promise<Verdict> {
    const key = createHmac('sha256', this.#secret).update(`${name}:${password}`).digest('base64');
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    if (this.#waiting.length >= MAX_WAITING) return 'busy';
    const verdict = this.#work(name, password)
      .then((found) => {
        this.#verdicts.set(key, found);
        return found;
      })
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, verdict);
    return verdict;
  }

  async #work(name: string, password: string): Promise<Verdict> {
    if (this.#runningCount >= MAX_RUNNING) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#runningCount++;
    }
    try {
      const hash = this.#users.get(name);
      const isRight = await isPassword(password, hash ?? this.#nobody);
      return isRight && hash !== undefined ? 'right' : 'wrong';
    } finally {
      // The place is handed on to who waits, or given back.
      const next = this.#waiting.shift();
      if (next === undefined) this.#runningCount--;
      else next();
    }
  }
}

/** Work for a check, relative to others. */
function costOf(hash: PasswordHash): number {
  return hash.kind === 'scrypt' ? 2 ** hash.ln * hash.r * hash.p : 0;
}
