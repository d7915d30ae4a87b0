/** An OCSP response that is stapled to handshakes (RFC 6066 section 8), as a file holds it. */
import type { ConfigIssue } from '@evenkeel/core';
import { readFile } from 'node:fs/promises';

/** Some kilobytes with the certificate of the responder; more would go out with every handshake. */
const MAX_BYTES = 65_536;

const SEQUENCE = 0x30;
const ENUMERATED = 0x0a;
const SUCCESSFUL = 0;

/**
 * Whoever renews the file checks what it says: clients do so in any case, and refuse what is not good.
 *
 * @returns undefined when there is none, or after adding to the issues
 */
export async function loadOcspResponse(
  file: string | undefined,
  path: string,
  issues: ConfigIssue[],
): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => error.code ?? 'EIO');
  if (typeof bytes === 'string') {
    issues.push({ path, expected: 'a file that can be read', actual: `${file}: ${bytes}` });
    return undefined;
  }
  if (isSuccessful(bytes)) return bytes;
  issues.push({ path, expected: 'a successful OCSP response in DER', actual: file });
  return undefined;
}

/** `OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, ... }` (RFC 6960 section 4.2.1) */
function isSuccessful(bytes: Buffer): boolean {
  if (bytes.length > MAX_BYTES || bytes[0] !== SEQUENCE) return false;
  const first = bytes[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 3) return false;
  let length = lengthBytes === 0 ? first : 0;
  for (let at = 0; at < lengthBytes; at++) length = (length << 8) | (bytes[2 + at] ?? 0);
  const status = 2 + lengthBytes;
  if (status + length !== bytes.length) return false;
  return (
    bytes[status] === ENUMERATED && bytes[status + 1] === 1 && bytes[status + 2] === SUCCESSFUL
  );
}
