/**
 * What filters change in the fields of a message. The message itself stays as it came: edits are laid over it when it is
 * read, and written instead of its lines when it goes on.
 */
import { isAuthority } from '../../http1/authority.ts';
import type { FieldIndex } from '../../http1/field-index.ts';
import type { HeaderEdits } from '../../filter/filter.ts';
import type { Output } from '../../socket/output.ts';

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,256}$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that frame a message or belong to its connection: the proxy writes them itself, whoever asks for what. */
const OWN: readonly string[] = [
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Fields that cannot be edited, in lower case. */
const OWN_OF_REQUESTS: ReadonlySet<string> = new Set([...OWN, 'expect']);
const OWN_OF_RESPONSES: ReadonlySet<string> = new Set(OWN);

interface Edit {
  /** Do the lines of the message go? */
  replaces: boolean;
  readonly values: string[];
}

export class FieldEdits implements HeaderEdits {
  readonly #own: ReadonlySet<string>;
  readonly #isRequest: boolean;
  readonly #byName = new Map<string, Edit>();

  constructor(message: 'request' | 'response') {
    this.#isRequest = message === 'request';
    this.#own = this.#isRequest ? OWN_OF_REQUESTS : OWN_OF_RESPONSES;
  }

  /** Is nothing changed? */
  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  set(name: string, value: string): void {
    const key = this.#keyOf(name, value);
    this.#byName.set(key, { replaces: true, values: [value] });
  }

  append(name: string, value: string): void {
    const key = this.#keyOf(name, value);
    if (key === 'host' && this.#isRequest) throw new TypeError('a request has one host only');
    const edit = this.#byName.get(key);
    if (edit === undefined) this.#byName.set(key, { replaces: false, values: [value] });
    else edit.values.push(value);
  }

  remove(name: string): void {
    const key = this.#keyOf(name, undefined);
    if (key === 'host' && this.#isRequest) throw new TypeError('a request needs its host');
    this.#byName.set(key, { replaces: true, values: [] });
  }

  /** Do the lines of that name go? @param name in lower case */
  replaces(name: string): boolean {
    return this.#byName.get(name)?.replaces === true;
  }

  /**
   * A field as it is with the edits.
   *
   * @param name in lower case
   * @param original what the message says
   */
  read(name: string, original: string | undefined): string | undefined {
    const edit = this.#byName.get(name);
    if (edit === undefined) return original;
    const values =
      edit.replaces || original === undefined ? edit.values : [original, ...edit.values];
    return values.length === 0 ? undefined : values.join(name === 'cookie' ? '; ' : ', ');
  }

  /** Takes the lines that are replaced out of those that pass. */
  drop(passes: Uint8Array, bytes: Buffer, fields: FieldIndex): void {
    for (let line = 0; line < fields.count; line++) {
      const name = bytes.toString('latin1', fields.nameFrom(line), fields.nameTo(line));
      if (this.replaces(name.toLowerCase())) passes[line] = 0;
    }
  }

  /** Adds the new lines. */
  write(output: Output): void {
    for (const [name, { values }] of this.#byName)
      for (const value of values) output.text(`${name}: ${value}\r\n`);
  }

  #keyOf(name: string, value: string | undefined): string {
    const key = name.toLowerCase();
    if (!NAME.test(key)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);
    if (this.#own.has(key)) throw new TypeError(`${key} is the proxy's own to write`);
    if (value === undefined) return key;
    if (!VALUE.test(value))
      throw new TypeError(`not a value of a header: ${JSON.stringify(value)}`);
    if (key === 'host' && this.#isRequest && !isHost(value))
      throw new TypeError(`not a host: ${JSON.stringify(value)}`);
    return key;
  }
}

function isHost(value: string): boolean {
  const bytes = Buffer.from(value, 'latin1');
  return isAuthority(bytes, 0, bytes.length);
}

/** Whole lines of fields for an answer of the proxy's own. @throws TypeError for what cannot be one */
export function linesOf(headers: Readonly<Record<string, string>>): string {
  const edits = new FieldEdits('response');
  let lines = '';
  for (const [name, value] of Object.entries(headers)) {
    // For its checks only.
    edits.set(name, value);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}
