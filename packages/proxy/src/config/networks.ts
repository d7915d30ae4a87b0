/** Lists of addresses and networks, `10.0.0.0/8`, as options hold them. */
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const network = z.string({ error: 'an address or a network, 10.0.0.0/8' }).refine(isNetwork, {
  error: 'an address or a network, 10.0.0.0/8',
});

/** Undefined for an empty list. */
export const networksSchema: z.ZodType<BlockList | undefined> = z
  .array(network)
  .max(10_000)
  .transform(listOf);

function listOf(networks: readonly string[]): BlockList | undefined {
  if (networks.length === 0) return undefined;
  const list = new BlockList();
  for (const text of networks) {
    const { address, bits } = partsOf(text);
    const isV6 = isIP(address) === 6;
    list.addSubnet(address, bits ?? (isV6 ? 128 : 32), isV6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function isNetwork(text: string): boolean {
  const { address, bits } = partsOf(text);
  const family = isIP(address);
  if (family === 0) return false;
  return bits === undefined || bits <= (family === 6 ? 128 : 32);
}

/** Not a number for what is none. */
function partsOf(text: string): { readonly address: string; readonly bits: number | undefined } {
  const [address = '', bits] = text.split('/', 2);
  if (text.split('/').length > 2) return { address: '', bits: undefined };
  if (bits === undefined) return { address, bits };
  return { address, bits: /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN };
}
