import { z } from 'zod';
import { object, text } from '../../schema/fields.ts';
import { type CheckTimingConfig, checkTimingFields } from './timing-config.ts';
import { type CheckTlsOptions, checkTlsSchema } from './tls-config.ts';

/** Bytes as UTF-8 text or in hexadecimal. */
export type CheckPayload = string | { readonly hex: string };

/** A TCP check: it passes when the connection stands, and where asked, when the answer is right. */
export interface TcpCheckConfig extends CheckTimingConfig {
  /** Sent once the connection (and TLS) stands. 1..4096 bytes. */
  readonly send?: CheckPayload | undefined;
  /** Must appear in the first 64 KiB that the endpoint sends. 1..4096 bytes. */
  readonly expect?: CheckPayload | undefined;
  /** TLS with the endpoint: the check passes only after a good handshake. Left out: none. */
  readonly tls?: CheckTlsOptions | undefined;
}

/** What a user writes. */
export type TcpCheckOptions = {
  readonly [Key in keyof TcpCheckConfig]?: TcpCheckConfig[Key] | undefined;
};

const MAX_PAYLOAD_BYTES = 4096;
const HEX = /^(?:[0-9a-fA-F]{2})+$/;

const payload: z.ZodType<CheckPayload, CheckPayload> = z.union(
  [
    text(MAX_PAYLOAD_BYTES),
    object({
      hex: text(MAX_PAYLOAD_BYTES * 2)
        .regex(HEX, { error: 'pairs of hexadecimal digits' })
        .describe('Bytes as pairs of hexadecimal digits.'),
    }).meta({ title: 'Bytes of a check' }),
  ],
  { error: `a text of 1 to ${MAX_PAYLOAD_BYTES} characters or { hex }` },
);

/** Schema of `health.tcp`. */
export const tcpCheckSchema: z.ZodType<TcpCheckConfig, TcpCheckOptions> = object({
  ...checkTimingFields,
  send: payload
    .optional()
    .describe('Sent once the connection stands: a text, or bytes as { hex }.'),
  expect: payload
    .optional()
    .describe(
      'Must appear in the first 64 KiB that the endpoint sends: a text, or bytes as { hex }.',
    ),
  tls: checkTlsSchema
    .optional()
    .describe('TLS with the endpoint: true, or an object with options. Left out: none.'),
});

/** The bytes of a payload. */
export function bytesOf(payloadOption: CheckPayload): Buffer {
  return typeof payloadOption === 'string'
    ? Buffer.from(payloadOption, 'utf8')
    : Buffer.from(payloadOption.hex, 'hex');
}
