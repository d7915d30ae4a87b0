import { decode } from '../../schema/decode.ts';
import type { Discovery } from '../resolver.ts';
import { completeDnsOptions, type DnsOptions, dnsSchema } from './config.ts';
import { DnsResolver } from './dns-resolver.ts';
import { createNetworkExchange } from './network-exchange.ts';

/**
 * Discovery from DNS: the A and AAAA records of a name, or the SRV records of a service, looked up again by their TTLs.
 * A dead name server or an empty answer leaves the last good set in force; see docs/guides/dns-discovery.md.
 *
 * @example dns({ name: 'users.internal', port: 8080 })
 * @example dns({ srv: '_http._tcp.users.internal', servers: ['127.0.0.1:5353'] })
 * @throws ConfigError for an unknown option or a value out of range
 */
export function dns(options: DnsOptions): Discovery {
  return dnsAt(options, 'dns');
}

/** As {@link dns}, for options that stand at `path` in a configuration. */
export function dnsAt(options: DnsOptions, path: string): Discovery {
  const config = completeDnsOptions(decode(dnsSchema, options, path));
  return {
    kind: 'dns',
    create: (environment) => {
      const exchange = createNetworkExchange(environment.runtime.scheduler);
      return new DnsResolver(config, environment, exchange);
    },
  };
}
