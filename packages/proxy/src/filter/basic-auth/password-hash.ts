/**
 * Hashes of passwords, as texts that say how they were made (PHC string format):
 *
 * ```text
 *   $scrypt$ln=15,r=8,p=1$<salt>$<hash>     scrypt (RFC 7914), N = 2^ln; for what people choose
 *   $sha256$<salt>$<hash>                   SHA-256 of salt and password; for random tokens of 128 bits and more only
 * ```
 *
 * Salt and hash are base64 without padding.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

export type PasswordHash =
  | (ScryptCost & { readonly kind: 'scrypt'; readonly salt: Buffer; readonly hash: Buffer })
  | { readonly kind: 'sha256'; readonly salt: Buffer; readonly hash: Buffer };

interface ScryptCost {
  /** Base-2 logarithm of the cost N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about 50 ms: a choice of OWASP's password storage recommendations. */
const DEFAULT_COST: ScryptCost = { ln: 15, r: 8, p: 1 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** What a hash may ask for: memory is 128 * r * N bytes. */
const MAX_MEMORY_BYTES = 256 * 1_048_576;

const SCRYPT =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const SHA256 = /^\$sha256\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** @returns undefined for what is none */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const quick = SHA256.exec(text);
  if (quick !== null) {
    const [, salt = '', hash = ''] = quick;
    return checked({ kind: 'sha256', ...bytesOf(salt, hash) });
  }
  const slow = SCRYPT.exec(text);
  if (slow === null) return undefined;
  const [, ln, r, p, salt = '', hash = ''] = slow;
  return checked({
    kind: 'scrypt',
    ln: Number(ln),
    r: Number(r),
    p: Number(p),
    ...bytesOf(salt, hash),
  });
}

/** @returns a hash to be put into a configuration; takes about 50 ms */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, { ...DEFAULT_COST, length: HASH_BYTES });
  const { ln, r, p } = DEFAULT_COST;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${encoded(salt)}$${encoded(hash)}`;
}

/** The time it takes says nothing about the hash. */
export async function isPassword(password: string, known: PasswordHash): Promise<boolean> {
  const { salt, hash } = known;
  const found =
    known.kind === 'sha256'
      ? createHash('sha256').update(salt).update(password).digest()
      : await derive(password, salt, { ...known, length: hash.length });
  return timingSafeEqual(found, hash);
}

function derive(
  password: string,
  salt: Buffer,
  { ln, r, p, length }: ScryptCost & { readonly length: number },
): Promise<Buffer> {
  const cost = { N: 2 ** ln, r, p, maxmem: 2 * MAX_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, cost, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

function checked(parsed: PasswordHash): PasswordHash | undefined {
  const { salt, hash } = parsed;
  if (salt.length < 8) return undefined;
  if (parsed.kind === 'sha256') return hash.length === 32 ? parsed : undefined;
  const { ln, r, p } = parsed;
  const isPayable = ln >= 1 && r >= 1 && p >= 1 && p <= 16 && 128 * r * 2 ** ln <= MAX_MEMORY_BYTES;
  return isPayable && hash.length >= 16 && hash.length <= 64 ? parsed : undefined;
}

function bytesOf(salt: string, hash: string): { readonly salt: Buffer; readonly hash: Buffer } {
  return { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

function encoded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
