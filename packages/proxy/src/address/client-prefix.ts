/** Which addresses count as one client. */
import { maskAddress, readAddress } from './ip-address.ts';

/**
 * A network with IPv6 hands out 2^64 addresses to a single host, so that a limit by whole address would be none (RFC 6177
 * section 2: sites get /64 to /48).
 */
export interface ClientPrefixes {
  readonly ipv4Bits: number;
  readonly ipv6Bits: number;
}

/** The least that one customer is given. */
export const WHOLE_HOST: ClientPrefixes = Object.freeze({ ipv4Bits: 32, ipv6Bits: 64 });

const scratch = new Uint32Array(4);

/** A text for all addresses that share a prefix; what is no address stands for itself. */
export function clientPrefix(
  address: string,
  { ipv4Bits, ipv6Bits }: ClientPrefixes = WHOLE_HOST,
): string {
  const width = readAddress(address, scratch);
  if (width === 0) return address;
  maskAddress(scratch, width, width === 1 ? ipv4Bits : ipv6Bits);
  let text = width === 1 ? '4' : '6';
  for (let word = 0; word < width; word++) text += `.${(scratch[word] as number).toString(36)}`;
  return text;
}
