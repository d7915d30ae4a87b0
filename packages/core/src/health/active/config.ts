import type { z } from 'zod';
import { REDACTED } from '../../error/redact.ts';
import { object } from '../../schema/fields.ts';
import { type HttpCheckConfig, type HttpCheckOptions, httpCheckSchema } from './http-config.ts';
import { type TcpCheckConfig, type TcpCheckOptions, tcpCheckSchema } from './tcp-config.ts';

/** What a user writes as `health` of a cluster: one kind of check with its options. */
export interface ActiveHealthOptions {
  readonly http?: HttpCheckOptions | undefined;
  readonly tcp?: TcpCheckOptions | undefined;
}

/** Checked options of a cluster's active checks. */
export type ActiveHealthConfig =
  ({ readonly kind: 'http' } & HttpCheckConfig) | ({ readonly kind: 'tcp' } & TcpCheckConfig);

/** Schema of the option `health` of a cluster. */
export const activeHealthSchema: z.ZodType<ActiveHealthConfig, ActiveHealthOptions> = object({
  http: httpCheckSchema
    .optional()
    .describe('One HTTP/1.1 request; its status decides, and its body where a rule asks for it.'),
  tcp: tcpCheckSchema
    .optional()
    .describe('One connection; it decides, and an answer where a rule asks for it.'),
}).transform((options, context): ActiveHealthConfig => {
  const { http, tcp } = options;
  if (http !== undefined && tcp === undefined) return { kind: 'http', ...http };
  if (tcp !== undefined && http === undefined) return { kind: 'tcp', ...tcp };
  // The path is that of the surplus one, so that the message does not print the options of the other.
  context.addIssue({
    code: 'custom',
    path: http === undefined ? [] : ['tcp'],
    message:
      http === undefined ? "one of 'http' and 'tcp'" : "nothing beside 'http': one kind of check",
  });
  return undefined as never; // Not handed out: there is an issue.
});

/**
 * The options as they may be shown to operators: header values, payloads, certificates and keys are replaced, because
 * they may carry credentials. Names and everything else stay.
 */
export function redactActiveHealth(config: ActiveHealthConfig): Readonly<Record<string, unknown>> {
  const shown: Record<string, unknown> = { ...config };
  if (config.kind === 'http') {
    shown['headers'] = Object.fromEntries(
      Object.keys(config.headers).map((name) => [name, REDACTED]),
    );
  } else {
    if (config.send !== undefined) shown['send'] = REDACTED;
    if (config.expect !== undefined) shown['expect'] = REDACTED;
  }
  if (typeof config.tls === 'object') {
    const { ca, cert, key, ...rest } = config.tls;
    shown['tls'] = {
      ...rest,
      ...(ca === undefined ? {} : { ca: REDACTED }),
      ...(cert === undefined ? {} : { cert: REDACTED }),
      ...(key === undefined ? {} : { key: REDACTED }),
    };
  }
  return shown;
}
