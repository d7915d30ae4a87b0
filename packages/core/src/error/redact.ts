/** Keeps secrets out of messages: an error about a configuration ends up in logs and tickets. */

/** Stands for a secret. */
export const REDACTED = '[redacted]';

const SECRET_KEY =
  /token|secret|passw|passphrase|authorization|cookie|credential|api[-_]?key|private[-_]?key|access[-_]?key|^(headers|send|key|cert|pfx|auth|pwd)$/i;

/** Does the value under this key have to stay out of messages? Errs on the side of yes. */
export function isSecretKey(key: PropertyKey): boolean {
  return typeof key === 'string' && SECRET_KEY.test(key);
}

/**
 * Hides what is secret by its form, whatever the key: the user part of a URL, and the credentials of the HTTP schemes
 * (RFC 9110 section 11.4: a scheme name, a space, the credentials).
 */
export function redactText(text: string): string {
  return text
    .replace(/(\/\/)[^/?#\s"]*@/g, `$1${REDACTED}@`)
    .replace(/\b(bearer|basic|digest|negotiate|apikey)\s+[^\s"']+/gi, `$1 ${REDACTED}`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----.*/s, REDACTED);
}

/** A replacer for `JSON.stringify` that hides the values of secret keys, at any depth. */
export function redactField(key: string, value: unknown): unknown {
  if (isHeaderPair(value)) return [value[0], REDACTED];
  return isSecretKey(key) && value !== undefined && value !== null && typeof value !== 'boolean'
    ? REDACTED
    : value;
}

/** `['authorization', 'Bearer …']`, as header lists are written. */
function isHeaderPair(value: unknown): value is [string, unknown] {
  return Array.isArray(value) && value.length === 2 && isSecretKey(value[0] as PropertyKey);
}
