/** Options of the filter `basicAuth`. */
import { flag, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { editableField } from '../shared/fields.ts';
import { type PasswordHash, parsePasswordHash } from './password-hash.ts';

/** Users with passwords (RFC 7617). Only over TLS: what a browser sends is the password itself. */
export interface BasicAuthOptions {
  /** 1..10,000. */
  readonly users: readonly BasicAuthUser[];
  /** What browsers show. Default `Restricted`. */
  readonly realm?: string | undefined;
  /** Is `authorization` passed on to the endpoint? Default false. */
  readonly forwardCredentials?: boolean | undefined;
  /** Tells the endpoint the name of the user; what clients write there is dropped. Default none. */
  readonly userHeader?: string | undefined;
}

export interface BasicAuthUser {
  /** Without a colon. */
  readonly name: string;
  /** Of `hashPassword()`: `$scrypt$ln=15,r=8,p=1$...$...`; or `$sha256$salt$hash` for random tokens. */
  readonly passwordHash: string;
}

export interface BasicAuthConfig {
  readonly users: readonly { readonly name: string; readonly passwordHash: PasswordHash }[];
  readonly realm: string;
  readonly forwardCredentials: boolean;
  readonly userHeader: string | undefined;
}

const HASH = 'a hash, $scrypt$ln=15,r=8,p=1$<salt>$<hash> or $sha256$<salt>$<hash>';

const passwordHash = z.string({ error: HASH }).transform((value, context): PasswordHash => {
  const parsed = parsePasswordHash(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: HASH, input: undefined });
  return z.NEVER;
});

export const basicAuthSchema: z.ZodType<BasicAuthConfig, BasicAuthOptions> = object({
  users: z
    .array(
      object({
        name: text(256)
          .regex(/^[^:\x00-\x1f\x7f]+$/, {
            error: 'a name without colons and control characters',
          })
          .describe('Without a colon.'),
        passwordHash: passwordHash.describe(
          'Of `hashPassword()`: `$scrypt$ln=15,r=8,p=1$...$...`; or `$sha256$salt$hash` for random tokens.',
        ),
      }),
      { error: 'a list of users' },
    )
    .min(1, { error: 'at least one user' })
    .max(10_000, { error: '10000 users at most' })
    .refine((users) => new Set(users.map(({ name }) => name)).size === users.length, {
      error: 'users with different names',
    })
    .describe('Who gets in.'),
  realm: text(128)
    .regex(/^[ !#-[\]-~]+$/, { error: 'printable ASCII without " and \\' })
    .default('Restricted')
    .describe('What browsers show.'),
  forwardCredentials: flag()
    .default(false)
    .describe('Is `authorization` passed on to the endpoint?'),
  userHeader: editableField
    .optional()
    .describe('Tells the endpoint the name of the user; what clients write there is dropped.'),
}) as z.ZodType<BasicAuthConfig, BasicAuthOptions>;
