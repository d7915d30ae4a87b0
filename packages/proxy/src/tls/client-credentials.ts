/** What connections to the endpoints of a cluster need for TLS: checked as a whole, and replaced as a whole. */
import type { ConfigIssue, Endpoint } from '@evenkeel/core';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { UpstreamTlsConfig } from '../config/tls-options.ts';
import type { SecureUpstream } from '../socket/secure-target.ts';
import { loadAuthorities, loadCertificate, parse } from './load-certificate.ts';

/** @returns undefined after adding to the issues */
export async function loadClientContext(
  config: UpstreamTlsConfig,
  path: string,
  issues: ConfigIssue[],
): Promise<SecureContext | undefined> {
  const before = issues.length;
  const authorities = { text: config.ca, file: config.caFile };
  const ca = await loadAuthorities(authorities, `${path}.ca`, issues);
  const certificate =
    config.certificate &&
    (await loadCertificate(config.certificate, `${path}.certificate`, issues));
  const { ciphers, minVersion } = config;
  const policy = parse(() => createSecureContext({ ciphers, minVersion }));
  if (typeof policy === 'string')
    issues.push({ path: `${path}.ciphers`, expected: 'ciphers of OpenSSL', actual: policy });
  if (issues.length > before) return undefined;
  return createSecureContext({
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate.cert, key: certificate.key }),
    ...(certificate?.passphrase !== undefined && { passphrase: certificate.passphrase }),
    ...(ciphers !== undefined && { ciphers }),
    minVersion,
  });
}

/** The name that an endpoint has to prove; '' when its address has to be in the certificate. */
export function serverNameOf(endpoint: Endpoint, configured: string | undefined): string {
  const { address, hostname } = endpoint;
  const name = configured ?? hostname ?? (address.kind === 'unix' ? '' : address.host);
  return isIP(name) === 0 ? name : '';
}

/** TLS to a cluster, with credentials that can be replaced. */
export class UpstreamTls implements SecureUpstream {
  readonly config: UpstreamTlsConfig;
  context: SecureContext;

  constructor(config: UpstreamTlsConfig, context: SecureContext) {
    this.config = config;
    this.context = context;
  }

  get rejectUnauthorized(): boolean {
    return this.config.rejectUnauthorized;
  }

  serverNameOf(endpoint: Endpoint): string {
    return serverNameOf(endpoint, this.config.servername);
  }
}
