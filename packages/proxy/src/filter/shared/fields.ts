/** Schemas that several filters share. */
import { z } from 'zod';
import { networkSchema } from '../../address/network-schema.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that frame a message or belong to its connection: the proxy writes them itself. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The name of a field (RFC 9110 section 5.1), in lower case. */
export const fieldName: z.ZodType<string, string> = z
  .string({ error: 'a header name' })
  .max(256, { error: 'a header name of 256 characters at most' })
  .regex(TOKEN, { error: 'a header name' })
  .transform((name) => name.toLowerCase());

/** The name of a field that a filter may write. */
export const editableField: z.ZodType<string, string> = fieldName.refine(
  (name) => !OWN_FIELDS.has(name),
  { error: 'a header that does not frame the message' },
);

/** A name of a cookie or of a query parameter. */
export const parameterName: z.ZodType<string, string> = z
  .string({ error: 'a name' })
  .min(1, { error: 'a name of 1 to 256 characters' })
  .max(256, { error: 'a name of 1 to 256 characters' });

export const fieldValue: z.ZodType<string, string> = z
  .string({ error: 'a text' })
  .max(8_192, { error: 'a text of 8192 characters at most' })
  .regex(VALUE, { error: 'a value without line ends, of one byte per character' });

const MAX_NETWORKS = 1_000_000;

export const networks: z.ZodType<string[], string[]> = z
  .array(networkSchema, { error: 'a list of addresses and networks, 10.0.0.0/8' })
  .max(MAX_NETWORKS, { error: `${MAX_NETWORKS} networks at most` });
