/** Adds a cookie to a response on its way to the caller, in both forms in which handlers look for headers. */
import type { HeaderRecord, RawOfController } from './handler.ts';

export function headersWithCookie(headers: HeaderRecord, cookie: string): HeaderRecord {
  const known = headers['set-cookie'];
  const list = known === undefined ? [] : Array.isArray(known) ? known : [known];
  return { ...headers, 'set-cookie': [...list, cookie] };
}

/** @param raw as the transport left it; null stays null, and the parsed form counts */
export function rawWithCookie(raw: RawOfController, cookie: string): RawOfController {
  if (raw === null) return null;
  if (Array.isArray(raw)) {
    return [...raw, Buffer.from('set-cookie'), Buffer.from(cookie, 'latin1')] as RawOfController;
  }
  return headersWithCookie(raw as HeaderRecord, cookie) as unknown as RawOfController;
}
