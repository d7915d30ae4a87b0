/** A final response as filters see it: from an endpoint, or of the proxy's own. */
import type { FilterResponse } from '../../filter/filter.ts';
import type { ResponseHead } from '../../http1/response-head.ts';
import type { LocalAnswer } from '../local-answer.ts';
import type { FieldEdits } from './field-edits.ts';

/** What is read of a response, wherever it is from. */
export interface ResponseFacts {
  readonly status: number;
  readonly isLocal: boolean;
  readonly bodyBytes: number | undefined;
  /** Has it no body at all? */
  readonly isBodiless: boolean;
  /** @param name in lower case */
  header(name: string): string | undefined;
}

export class FilteredResponse implements FilterResponse {
  readonly status: number;
  readonly isLocal: boolean;
  readonly headers: FieldEdits;
  /** Changes when a filter changes the body. */
  bodyBytes: number | undefined;
  readonly #facts: ResponseFacts;

  constructor(facts: ResponseFacts, edits: FieldEdits) {
    this.#facts = facts;
    this.status = facts.status;
    this.isLocal = facts.isLocal;
    this.bodyBytes = facts.bodyBytes;
    this.headers = edits;
  }

  header(name: string): string | undefined {
    const key = name.toLowerCase();
    // Several cookies in one line cannot be told apart (RFC 6265 section 3).
    if (key === 'set-cookie') return undefined;
    return this.headers.read(key, this.#facts.header(key));
  }
}

/** Of an endpoint. Good as long as the head is. */
export function factsOfHead(head: ResponseHead, bytes: Buffer, isBodiless: boolean): ResponseFacts {
  const { semantics, status } = head;
  const length = semantics.contentLength >= 0 ? semantics.contentLength : undefined;
  return {
    status,
    isLocal: false,
    isBodiless,
    bodyBytes: isBodiless ? 0 : length,
    header(name) {
      const { fields } = head;
      let value: string | undefined = undefined;
      for (let line = 0; line < fields.count; line++) {
        const key = bytes.toString('latin1', fields.nameFrom(line), fields.nameTo(line));
        if (key.toLowerCase() !== name) continue;
        const text = bytes.toString('latin1', fields.valueFrom(line), fields.valueTo(line));
        value = value === undefined ? text : `${value}, ${text}`;
      }
      return value;
    },
  };
}

/** Of the proxy's own. */
export function factsOfAnswer(answer: LocalAnswer, isHead: boolean): ResponseFacts {
  const isBodiless = isHead || answer.body.length === 0;
  return {
    status: answer.status,
    isLocal: true,
    isBodiless,
    bodyBytes: isBodiless ? 0 : answer.body.length,
    header: (name) => answer.header(name),
  };
}
