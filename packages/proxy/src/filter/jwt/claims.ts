/** Whether the claims of a token whose signature is right let a request in (RFC 7519 section 4.1, RFC 8725). */

export type Claims = Readonly<Record<string, unknown>>;

export interface ClaimRules {
  readonly issuer: readonly string[];
  readonly audience: readonly string[];
  readonly requiredClaims: readonly string[];
  readonly clockToleranceMs: number;
}

/** @returns what is wrong, in words for the client, or undefined */
export function claimFault(claims: Claims, rules: ClaimRules, wallMs: number): string | undefined {
  for (const name of rules.requiredClaims) {
    if (claimOf(claims, name) === undefined) return `The token has no claim ${name}`;
  }
  if (!rules.issuer.includes(claims['iss'] as string)) return 'The token is of another issuer';
  const audience = listOf(claims['aud']);
  if (!audience.some((name) => rules.audience.includes(name as string))) {
    return 'The token is for another audience';
  }
  return timeFault(claims, rules.clockToleranceMs, wallMs);
}

function timeFault(claims: Claims, toleranceMs: number, wallMs: number): string | undefined {
  const expires = secondsOf(claims, 'exp');
  const notBefore = secondsOf(claims, 'nbf');
  // NaN is of a claim that is there but no number.
  if (Number.isNaN(expires) || Number.isNaN(notBefore)) return 'The token has no valid times';
  if (expires !== undefined && expires * 1_000 + toleranceMs <= wallMs) {
    return 'The token has expired';
  }
  if (notBefore !== undefined && notBefore * 1_000 - toleranceMs > wallMs) {
    return 'The token is not valid yet';
  }
  return undefined;
}

/** Scopes of a token: `scope` is a list in one text (RFC 9068 section 2.2.3), `scp` a list or such a text. */
export function scopesOf(claims: Claims): readonly string[] {
  return [claims['scope'], claims['scp']].flatMap((value) => {
    if (typeof value === 'string') return value.split(' ');
    return Array.isArray(value) ? value.filter((part) => typeof part === 'string') : [];
  });
}

/** @param path `sub`, or `realm_access.roles` for a claim within a claim; a name with dots goes before */
export function claimOf(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** A claim as a text; undefined for what has none, objects above all. */
export function claimText(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const texts = value.map(claimText);
    return texts.every((text) => text !== undefined) ? texts.join(',') : undefined;
  }
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return undefined;
  }
}

function secondsOf(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
