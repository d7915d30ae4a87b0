/** `headers`: sets, appends and removes fields of requests and responses. */
import type { z } from 'zod';
import type { Filter, FilterRequest, FilterResponse, HeaderEdits } from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import type { Template } from '../shared/template.ts';
import {
  type FieldEditConfig,
  type HeadersConfig,
  type HeadersOptions,
  headersSchema,
} from './schema.ts';

export const headersKind: FilterKind<z.ZodType<HeadersConfig, HeadersOptions>> = {
  name: 'headers',
  about: 'Edits fields of requests and responses.',
  schema: headersSchema,
  create: ({ request, response }) => {
    const onRequest = new FieldEdits(request);
    const onResponse = new FieldEdits(response);
    const filter: { -readonly [Key in keyof Filter]: Filter[Key] } = { name: 'headers' };
    // A hook that has nothing to do is left out: it costs nothing then.
    if (!onRequest.isEmpty) {
      filter.onRequest = (of) => {
        onRequest.apply(of.headers, of, undefined);
        return undefined;
      };
    }
    if (!onResponse.isEmpty) {
      filter.onResponse = (to, of) => onResponse.apply(to.headers, of, to);
    }
    return filter;
  },
};

class FieldEdits {
  readonly #set: readonly (readonly [string, Template])[];
  readonly #append: readonly (readonly [string, Template])[];
  readonly #remove: readonly string[];

  constructor({ set, append, remove }: FieldEditConfig) {
    this.#set = Object.entries(set);
    this.#append = Object.entries(append);
    this.#remove = remove;
  }

  get isEmpty(): boolean {
    return this.#set.length + this.#append.length + this.#remove.length === 0;
  }

  apply(edits: HeaderEdits, request: FilterRequest, response: FilterResponse | undefined): void {
    // All values are read before the first edit: `set: { a: '%{header.b}' }, remove: ['b']` has to work.
    const set = this.#set.map(([name, value]) => [name, value.text(request, response)] as const);
    const appended = this.#append.map(
      ([name, value]) => [name, value.text(request, response)] as const,
    );
    for (const name of this.#remove) edits.remove(name);
    for (const [name, value] of set) {
      // An empty value must not leave in place what a client made up.
      if (value === '') edits.remove(name);
      else edits.set(name, value);
    }
    for (const [name, value] of appended) {
      if (value !== '') edits.append(name, value);
    }
  }
}
