import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { z } from 'zod';
import { messageOf } from '../../error/evenkeel-error.ts';
import { flag, object, text } from '../../schema/fields.ts';

/** TLS of a check. `true` is the same as `{}`: the system's certificate authorities, the name of the endpoint. */
export type CheckTlsOptions = boolean | CheckTlsFields;

export interface CheckTlsFields {
  /**
   * Name sent in the handshake and looked for in the certificate. Left out: the endpoint's `hostname`, else the host
   * of its address.
   */
  readonly servername?: string | undefined;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | readonly string[] | undefined;
  /** PEM certificate chain and private key that the check shows the endpoint; both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** False accepts any certificate: for tests, because then anyone can answer for the endpoint. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

const MAX_PEM_CHARACTERS = 1_048_576;
const pem = (): z.ZodString => text(MAX_PEM_CHARACTERS);

const ca = z.union([pem(), z.array(pem()).max(100)], { error: 'PEM text or a list of PEM texts' });

const tlsFields = object({
  servername: text(253)
    .optional()
    .describe(
      "Name sent in the handshake and looked for in the certificate. Left out: the endpoint's.",
    ),
  ca: ca.optional().describe("PEM certificates to trust instead of the system's."),
  cert: pem().optional().describe('PEM certificate chain that the check shows the endpoint.'),
  key: pem().optional().describe('PEM private key of the certificate.'),
  rejectUnauthorized: flag()
    .optional()
    .describe('False accepts any certificate: for tests. Default true.'),
})
  .superRefine((fields, context) => {
    if ((fields.cert === undefined) !== (fields.key === undefined)) {
      const path = [fields.cert === undefined ? 'cert' : 'key'];
      context.addIssue({
        code: 'custom',
        path,
        message: "PEM text, because 'cert' and 'key' go together",
      });
      return;
    }
    refuseUnusable('ca', context, () => {
      const list =
        fields.ca === undefined || typeof fields.ca === 'string' ? [fields.ca] : fields.ca;
      // createSecureContext passes over what is no certificate, and the check would trust nobody without saying why.
      for (const pemText of list) if (pemText !== undefined) void new X509Certificate(pemText);
    });
    refuseUnusable('cert', context, () => void secureContextOf(fields));
  })
  .meta({ title: 'TLS of a check' });

/** Schema of the option `tls` of a check. */
export const checkTlsSchema: z.ZodType<CheckTlsOptions, CheckTlsOptions> = z.union(
  [flag(), tlsFields],
  { error: 'true, false, or an object with servername, ca, cert, key, rejectUnauthorized' },
);

/** TLS options as `node:tls` takes them, built once per cluster: loading certificates costs milliseconds. */
export interface CheckTls {
  readonly secureContext: SecureContext;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** Undefined: no TLS. */
export function createCheckTls(options: CheckTlsOptions | undefined): CheckTls | undefined {
  if (options === undefined || options === false) return undefined;
  const fields: CheckTlsFields = options === true ? {} : options;
  return {
    secureContext: secureContextOf(fields),
    servername: fields.servername,
    rejectUnauthorized: fields.rejectUnauthorized ?? true,
  };
}

function secureContextOf(fields: CheckTlsFields): SecureContext {
  return createSecureContext({
    ...(fields.ca === undefined
      ? {}
      : { ca: typeof fields.ca === 'string' ? fields.ca : [...fields.ca] }),
    ...(fields.cert === undefined ? {} : { cert: fields.cert }),
    ...(fields.key === undefined ? {} : { key: fields.key }),
  });
}

function refuseUnusable(key: string, context: z.core.$RefinementCtx, use: () => void): void {
  try {
    use();
  } catch (error) {
    const message = `usable PEM text (${messageOf(error)})`;
    context.addIssue({ code: 'custom', path: [key], message });
  }
}
