/** What users write about the admin address. */
import { decode, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { LISTEN } from './listen-address.ts';

export interface AdminListenOptions {
  /** Address and port. Default `127.0.0.1:9901`; beyond loopback there has to be a token. */
  readonly listen?: string | undefined;
  /** 16 to 1,024 characters, that clients send as `authorization: Bearer ...`. Default none. */
  readonly token?: string | undefined;
}

export interface AdminConfig {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

const LOOPBACK = /^(127\.|\[?::1\]?$|localhost$)/;

export const adminSchema: z.ZodType<AdminConfig, AdminListenOptions> = object({
  listen: z
    .string({ error: 'an address and a port, 127.0.0.1:9901' })
    .regex(LISTEN, { error: 'an address and a port, 127.0.0.1:9901' })
    .default('127.0.0.1:9901')
    .describe('Address and port. Beyond loopback there has to be a token.'),
  token: text(1_024)
    .min(16, { error: 'at least 16 characters' })
    .optional()
    .describe('What clients send as `authorization: Bearer`. Left out: none is asked for.'),
})
  .refine(({ listen, token }) => token !== undefined || LOOPBACK.test(listen), {
    error: 'a token, because the address is not on loopback',
    path: ['token'],
  })
  .transform(({ listen, token }) => {
    const [, host = '', port = ''] = LISTEN.exec(listen) ?? [];
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), token };
  });

/** @throws ConfigError naming every wrong option */
export function decodeAdminOptions(options: AdminListenOptions, path: string): AdminConfig {
  return decode(adminSchema, options, path);
}
