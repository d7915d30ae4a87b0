/**
 * Regular expressions whose time grows with the text and with nothing else: those of JavaScript backtrack, and a request
 * could be made that one of them takes hours for. The syntax is RE2's; it has no look-around and no back references.
 */
import { RE2JS } from 're2js';

/** Of a compiled expression, in instructions: `(a{1000}){3}` is short to write. */
const MAX_PROGRAM = 5_000;

export class SafeRegex {
  readonly source: string;
  readonly #compiled: RE2JS;

  /** @throws Error that says what is wrong with it */
  constructor(source: string) {
    const compiled = RE2JS.compile(source);
    const size = compiled.programSize();
    if (size > MAX_PROGRAM) throw new Error(`larger than ${MAX_PROGRAM} steps: ${size}`);
    this.source = source;
    this.#compiled = compiled;
  }

  /** Does the whole of the text fit? */
  test(text: string): boolean {
    return this.#compiled.testExact(text);
  }

  /** What the groups hold, by number and by name; undefined when the text does not fit. */
  groups(text: string): ReadonlyMap<string, string> | undefined {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.matches()) return undefined;
    const groups = new Map<string, string>();
    for (let group = 0; group <= this.#compiled.groupCount(); group++)
      groups.set(String(group), matcher.group(group) ?? '');
    for (const [name, group] of Object.entries(this.#compiled.namedGroups()))
      groups.set(name, matcher.group(group) ?? '');
    return groups;
  }

  /** Names that {@link groups} has. */
  get groupNames(): readonly string[] {
    const numbers = Array.from({ length: this.#compiled.groupCount() + 1 }, (_, at) => String(at));
    return [...numbers, ...Object.keys(this.#compiled.namedGroups())];
  }
}
