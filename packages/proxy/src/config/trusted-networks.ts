import { ConfigError } from '@evenkeel/core';
import { BlockList, isIP } from 'node:net';

/** Addresses and networks as one list. @throws ConfigError for what is neither */
export function trustedNetworks(networks: readonly string[]): BlockList | undefined {
  if (networks.length === 0) return undefined;
  const list = new BlockList();
  networks.forEach((network, index) => {
    const [address = '', bits] = network.split('/');
    const family = isIP(address);
    const length = bits === undefined ? maxBits(family) : Number(bits);
    if (family === 0 || !Number.isInteger(length) || length < 0 || length > maxBits(family)) {
      throw new ConfigError([
        {
          path: `createProxy.trustedProxies[${index}]`,
          expected: 'an address or a network, 10.0.0.0/8',
          actual: network,
        },
      ]);
    }
    list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
  });
  return list;
}

function maxBits(family: number): number {
  return family === 6 ? 128 : 32;
}
