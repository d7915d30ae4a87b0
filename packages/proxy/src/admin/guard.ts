/**
 * Who may use the admin address. It is on loopback unless somebody says otherwise, but a browser on the same machine is
 * there, too, and does what pages of strangers ask of it: so the name that it came under and the page that sends it are
 * looked at as well (DNS rebinding, cross-site requests).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export interface Refusal {
  readonly status: 401 | 403;
  readonly reason: string;
}

export class Guard {
  readonly #token: Buffer | undefined;

  /** @param token undefined when none is asked for */
  constructor(token: string | undefined) {
    this.#token = token === undefined ? undefined : digestOf(token);
  }

  /** @param isOpen may be seen without a token: it tells nothing @returns why not, or undefined */
  refusal(request: IncomingMessage, isOpen: boolean): Refusal | undefined {
    const { host = '', origin, authorization } = request.headers;
    // A name that somebody else's DNS points here is no address, and not localhost. With a token it does not matter.
    if (this.#token === undefined && !isOwnName(host))
      return { status: 403, reason: 'come by address, or as localhost; or set a token' };
    if (origin !== undefined && hostOf(origin) !== host.toLowerCase())
      return { status: 403, reason: 'asked by a page of another site' };
    if (this.#token === undefined || isOpen) return undefined;
    const [scheme = '', given = ''] = (authorization ?? '').split(' ', 2);
    const fits = timingSafeEqual(digestOf(given), this.#token);
    return scheme.toLowerCase() === 'bearer' && fits
      ? undefined
      : { status: 401, reason: 'a token is needed: authorization: Bearer ...' };
  }
}

/** Of one length, so that comparing tells nothing about either. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isOwnName(host: string): boolean {
  const name = host.startsWith('[')
    ? host.slice(1, host.indexOf(']'))
    : (host.split(':', 1)[0] as string);
  return isIP(name) !== 0 || name.toLowerCase() === 'localhost';
}

/** With its port; '' for `null` and other things that are no address. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}
