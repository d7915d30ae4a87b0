/** Who a client is by its certificate. */
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../filter/filter.ts';

/** @returns undefined when the client has shown none, or one that does not hold */
export function peerCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    subject: commonNameOf(certificate.subject),
    names: namesIn(certificate.subjectAltName ?? ''),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** Node writes a line for each part, with what would be mistaken for one escaped. */
function commonNameOf(subject: string): string {
  const line = subject.split('\n').find((part) => part.startsWith('CN='));
  return line === undefined ? '' : line.slice('CN='.length);
}

/**
 * Node joins the names with `, ` and writes those that hold a comma, a quote or the like as JSON strings, so that nobody
 * can make one name look like two (CVE-2021-44532).
 */
export function namesIn(text: string): readonly string[] {
  const names: string[] = [];
  const pattern = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const [, kind = '', value = ''] = found;
    names.push(`${kind}:${value.startsWith('"') ? (JSON.parse(value) as string) : value}`);
    if (pattern.lastIndex >= text.length) break;
  }
  return names;
}
