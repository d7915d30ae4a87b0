/** What users write about TLS, on the side of clients and on that of endpoints. */
import { flag, object, oneOf, text } from '@evenkeel/core/schema';
import { isIP } from 'node:net';
import { z } from 'zod';

/** A certificate with its key: both as PEM text, or both as paths of files with it. */
export interface CertificateOptions {
  /** PEM: the certificate itself first, then those that lead to a root, if any. */
  readonly cert?: string | undefined;
  /** PEM. */
  readonly key?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Of a key that is encrypted. */
  readonly passphrase?: string | undefined;
  /**
   * A file with an OCSP response in DER, which clients that ask are sent in the handshake (RFC 6066 section 8). Something
   * else has to renew it, and then have the certificates read anew. Default none.
   */
  readonly ocspFile?: string | undefined;
}

/** TLS at a listener. */
export interface TlsOptions {
  /**
   * At least one. The name that a client asks for (SNI) chooses by the names in the certificates, the exact one before
   * `*.suffix`; of several for a name the first. Who asks for none, or for an unknown one, gets the first of all.
   */
  readonly certificates: readonly CertificateOptions[];
  /** Default `TLSv1.2`; older ones are not offered (RFC 8996). */
  readonly minVersion?: TlsVersion | undefined;
  /** In OpenSSL's notation; for TLS 1.2 and 1.3 alike. Default Node's. */
  readonly ciphers?: string | undefined;
  /** PEM: who signs the certificates of clients. Nothing else is trusted for them. */
  readonly clientCa?: string | undefined;
  /** A file with what `clientCa` would hold. */
  readonly clientCaFile?: string | undefined;
  /**
   * Has a client to show a certificate? One that is shown and does not hold is refused in any case. Default `required`
   * with a `clientCa`, else `no`.
   */
  readonly requestClientCertificate?: 'no' | 'optional' | 'required' | undefined;
}

/** TLS to the endpoints of a cluster. */
export interface UpstreamTlsOptions {
  /**
   * The name that endpoints have to prove, and are asked for (SNI). Default per endpoint: its `hostname`, else the host
   * of its address; an address that is an IP has to be in the certificate, and no name is sent.
   */
  readonly servername?: string | undefined;
  /** PEM: who signs the certificates of endpoints. Default the roots that come with Node. */
  readonly ca?: string | undefined;
  readonly caFile?: string | undefined;
  /** What is shown to endpoints that ask for a certificate. */
  readonly certificate?: CertificateOptions | undefined;
  /** Default `TLSv1.2`. */
  readonly minVersion?: TlsVersion | undefined;
  /** In OpenSSL's notation. Default Node's. */
  readonly ciphers?: string | undefined;
  /** false: any certificate will do, and anybody can be in between. For tests. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** Checked options: files are not read yet. */
export interface TlsConfig extends TlsOptions {
  /** Does ALPN offer HTTP/2? */
  readonly speaksHttp2?: boolean | undefined;
  readonly minVersion: TlsVersion;
  readonly requestClientCertificate: 'no' | 'optional' | 'required';
}

export interface UpstreamTlsConfig extends UpstreamTlsOptions {
  readonly minVersion: TlsVersion;
  readonly rejectUnauthorized: boolean;
}

const MAX_PEM_CHARACTERS = 1_048_576;

const pem = text(MAX_PEM_CHARACTERS).optional();
// Paths are told in errors: PEM in the place of one, a key even, must not get that far.
const path = text(4_096)
  .regex(/^[^\r\n\0]*$/, { error: 'the path of a file' })
  .optional();
const version = oneOf(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2');
const ciphers = text(4_096).optional();

export const certificateSchema: z.ZodType<CertificateOptions, CertificateOptions> = object({
  cert: pem.describe('PEM: the certificate itself first, then those that lead to a root.'),
  key: pem.describe('PEM.'),
  certFile: path.describe('A file with what `cert` would hold.'),
  keyFile: path.describe('A file with what `key` would hold.'),
  passphrase: z.string().max(1_024).optional().describe('Of a key that is encrypted.'),
  ocspFile: path.describe('A file with an OCSP response in DER, for clients that ask.'),
})
  .refine(isPair, { error: 'cert with key, or certFile with keyFile' })
  .meta({ title: 'A certificate' });

function isPair({ cert, key, certFile, keyFile }: CertificateOptions): boolean {
  const inText = cert !== undefined && key !== undefined;
  const inFiles = certFile !== undefined && keyFile !== undefined;
  const count = [cert, key, certFile, keyFile].filter((part) => part !== undefined).length;
  return (inText || inFiles) && count === 2;
}

export const certificatesSchema: z.ZodType<CertificateOptions[], CertificateOptions[]> = z
  .array(certificateSchema)
  .min(1, { error: 'at least one certificate' })
  .max(10_000, { error: 'at most 10,000 certificates' });

export const tlsSchema: z.ZodType<TlsConfig, TlsOptions> = object({
  certificates: certificatesSchema.describe(
    'The name that a client asks for chooses; who asks for none gets the first.',
  ),
  minVersion: version.describe('Older versions are not offered.'),
  ciphers: ciphers.describe("In OpenSSL's notation. Left out: those of Node."),
  clientCa: pem.describe('PEM: who signs the certificates of clients.'),
  clientCaFile: path.describe('A file with what `clientCa` would hold.'),
  requestClientCertificate: oneOf(['no', 'optional', 'required'])
    .optional()
    .describe(
      'Has a client to show a certificate? Left out: `required` with a `clientCa`, else `no`.',
    ),
})
  .refine(hasOneOf('clientCa', 'clientCaFile'), { error: 'either clientCa or clientCaFile' })
  .refine(
    ({ requestClientCertificate: request, clientCa, clientCaFile }) =>
      request === undefined || (request === 'no') === ((clientCa ?? clientCaFile) === undefined),
    {
      error: 'clientCa or clientCaFile with certificates of clients, and not without',
      path: ['requestClientCertificate'],
    },
  )
  .transform((tls) => ({
    ...tls,
    requestClientCertificate:
      tls.requestClientCertificate ??
      ((tls.clientCa ?? tls.clientCaFile) === undefined ? 'no' : 'required'),
  }));

export const upstreamTlsSchema: z.ZodType<UpstreamTlsConfig, UpstreamTlsOptions> = object({
  servername: text(253)
    .refine((name) => isIP(name) === 0, { error: 'a host name, not an address' })
    .optional()
    .describe('The name that endpoints have to prove. Left out: that of each endpoint.'),
  ca: pem.describe(
    'PEM: who signs the certificates of endpoints. Left out: the roots that come with Node.',
  ),
  caFile: path.describe('A file with what `ca` would hold.'),
  certificate: certificateSchema
    .optional()
    .describe('What is shown to endpoints that ask for a certificate.'),
  minVersion: version.describe('Older versions are not accepted.'),
  ciphers: ciphers.describe("In OpenSSL's notation. Left out: those of Node."),
  rejectUnauthorized: flag().default(true).describe('false: any certificate will do. For tests.'),
}).refine(hasOneOf('ca', 'caFile'), { error: 'either ca or caFile' });

function hasOneOf<Key extends string>(
  a: Key,
  b: Key,
): (options: { readonly [name in Key]?: unknown }) => boolean {
  return (options) => options[a] === undefined || options[b] === undefined;
}
