/** What a listener needs for handshakes: checked as a whole, and replaced as a whole. */
import type { ConfigIssue } from '@evenkeel/core';
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type TlsOptions as NodeOptions } from 'node:tls';
import type { TlsConfig } from '../config/tls-options.ts';
import {
  type LoadedCertificate,
  loadAuthorities,
  loadCertificate,
  parse,
} from './load-certificate.ts';
import { ServerNameIndex } from './server-name-index.ts';

export interface ServerCredentials {
  readonly certificates: readonly LoadedCertificate[];
  /** For `tls.createServer`, but for what keeps sessions alive over a change of certificates. */
  readonly options: NodeOptions;
  /** Changes with what decides about certificates of clients: sessions must not outlive that. */
  readonly trustKey: string;
}

/** @returns undefined after adding to the issues */
export async function loadServerCredentials(
  config: TlsConfig,
  path: string,
  issues: ConfigIssue[],
): Promise<ServerCredentials | undefined> {
  const before = issues.length;
  const loaded = await Promise.all(
    config.certificates.map((certificate, at) =>
      loadCertificate(certificate, `${path}.certificates[${at}]`, issues),
    ),
  );
  const { clientCa, clientCaFile, ciphers, minVersion, requestClientCertificate } = config;
  const authorities = { text: clientCa, file: clientCaFile };
  const ca = await loadAuthorities(authorities, `${path}.clientCa`, issues);
  const policy = parse(() => createSecureContext({ ciphers, minVersion }));
  if (typeof policy === 'string')
    issues.push({ path: `${path}.ciphers`, expected: 'ciphers of OpenSSL', actual: policy });
  const certificates = loaded.filter((certificate) => certificate !== undefined);
  const [first] = certificates;
  if (issues.length > before || first === undefined) return undefined;
  const contextOf = ({ cert, key, passphrase }: LoadedCertificate): object => ({
    cert,
    key,
    ...(passphrase !== undefined && { passphrase }),
    ...(ciphers !== undefined && { ciphers }),
    ...(ca !== undefined && { ca }),
    minVersion,
  });
  const options: NodeOptions = {
    ...contextOf(first),
    requestCert: requestClientCertificate !== 'no',
    // An optional certificate that does not hold is refused after the handshake.
    rejectUnauthorized: requestClientCertificate === 'required',
    ALPNProtocols: config.speaksHttp2 === true ? ['h2', 'http/1.1'] : ['http/1.1'],
    ...(certificates.length > 1 && { SNICallback: chooser(certificates, contextOf) }),
  };
  const trustKey = createHash('sha256')
    .update(`${requestClientCertificate}\n${ca ?? ''}`)
    .digest('hex');
  return { certificates, options, trustKey };
}

type Chosen = (error: Error | null, context?: SecureContext) => void;

function chooser(
  certificates: readonly LoadedCertificate[],
  contextOf: (certificate: LoadedCertificate) => object,
): (name: string, chosen: Chosen) => void {
  const index = new ServerNameIndex<SecureContext>();
  for (const certificate of certificates) {
    const context = createSecureContext(contextOf(certificate));
    for (const name of certificate.names) index.add(name, context);
  }
  // Nothing found: Node goes on with the first.
  return (name, chosen) => chosen(null, index.find(name));
}
