/** The host names that a certificate is for: RFC 6125 section 6.4, RFC 9525 section 6. */
import type { X509Certificate } from 'node:crypto';

/** As a client may ask for it: letters, digits, hyphens, underscores; a wildcard is a whole label, the first one. */
const NAME = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** In lower case: the DNS names, or the common name where there are none. Names that no host can have are left out. */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const names = dnsNamesOf(certificate.subjectAltName ?? '');
  if (names.length > 0) return names;
  const [, common = ''] = /^CN=(.*)$/m.exec(certificate.subject) ?? [];
  return NAME.test(common.toLowerCase()) ? [common.toLowerCase()] : [];
}

/**
 * Of `DNS:a.example, IP Address:192.0.2.1, DNS:"odd, one"`. Node quotes what could be mistaken for a separator, as JSON;
 * no host name needs that, so a quoted entry is skipped as a whole.
 */
export function dnsNamesOf(subjectAltName: string): readonly string[] {
  const names: string[] = [];
  for (const [entry] of subjectAltName.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g)) {
    const [, name = ''] = /^\s*DNS:(.*)$/.exec(entry) ?? [];
    const lower = name.toLowerCase();
    if (NAME.test(lower) && !names.includes(lower)) names.push(lower);
  }
  return names;
}
