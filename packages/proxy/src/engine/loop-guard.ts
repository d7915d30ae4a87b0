/**
 * Requests that go in circles, known by how often `via` names this proxy (RFC 9110 section 7.6.3). Several proxies in a
 * row may have one name, so once is no loop.
 */
import { Field } from '../http1/known-field.ts';
import type { RequestHead } from '../http1/request-head.ts';

export class LoopGuard {
  /** In lower case; '' for a proxy that does not tell of itself. */
  readonly #name: string;
  readonly #maxPasses: number;

  /** @param maxPasses how often a request may have come through proxies of that name */
  constructor(name: string | false, maxPasses: number) {
    this.#name = name === false ? '' : name.toLowerCase();
    this.#maxPasses = maxPasses;
  }

  /** Has the request come this way as often as it may? Those without `via` cost nothing. */
  stops({ fields }: RequestHead, bytes: Buffer): boolean {
    if (fields.countOf(Field.via) === 0 || this.#name === '') return false;
    let passes = 0;
    for (let line = 0; line < fields.count; line++)
      if (fields.kind(line) === Field.via)
        passes += this.#countIn(
          bytes.toString('latin1', fields.valueFrom(line), fields.valueTo(line)),
        );
    return passes >= this.#maxPasses;
  }

  /** `1.1 name (a comment), HTTP/2.0 name`. */
  #countIn(list: string): number {
    let count = 0;
    for (const member of list.toLowerCase().split(',')) {
      const [, receivedBy] = member.trim().split(/[ \t]+/, 2);
      if (receivedBy === this.#name) count++;
    }
    return count;
  }
}
