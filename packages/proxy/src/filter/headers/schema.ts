/** Options of the filter `headers`. */
import { object } from '@evenkeel/core/schema';
import { z } from 'zod';
import { editableField, fieldValue } from '../shared/fields.ts';
import { type Template, template } from '../shared/template.ts';

/** Edits of the fields of a request, of a response, or both. Values may hold variables: `%{client.address}`. */
export interface HeadersOptions {
  /** What the endpoint is sent. */
  readonly request?: FieldEditOptions | undefined;
  /** What the client is sent, whoever answers. */
  readonly response?: FieldEditOptions | undefined;
}

/** Done in this order: remove, set, append. */
export interface FieldEditOptions {
  /** In place of all lines of that name; with an empty value there is no such line. */
  readonly set?: Readonly<Record<string, string>> | undefined;
  /** Further lines; one with an empty value is left out. */
  readonly append?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
}

export interface HeadersConfig {
  readonly request: FieldEditConfig;
  readonly response: FieldEditConfig;
}

export interface FieldEditConfig {
  readonly set: Readonly<Record<string, Template>>;
  readonly append: Readonly<Record<string, Template>>;
  readonly remove: readonly string[];
}

const values = z.record(editableField, template(fieldValue)).default({});

const edits = object({
  set: values.describe(
    'In place of all lines of that name; with an empty value there is no such line.',
  ),
  append: values.describe('Further lines; one with an empty value is left out.'),
  remove: z
    .array(editableField, { error: 'a list of header names' })
    .default([])
    .describe('Names of fields.'),
}).prefault({});

export const headersSchema: z.ZodType<HeadersConfig, HeadersOptions> = object({
  request: edits.describe('What the endpoint is sent.'),
  response: edits.describe('What the client is sent, whoever answers.'),
}) as z.ZodType<HeadersConfig, HeadersOptions>;
