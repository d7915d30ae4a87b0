import { configError } from '../../error/config-error.ts';
import {
  completeConnection,
  type ConsulConnection,
  type ConsulConnectionOptions,
  connectionShape,
} from '../../discovery/consul/http/connection-config.ts';
import { ConsulClient } from '../../discovery/consul/http/consul-client.ts';
import { NodeHttp } from '../../discovery/http/node-http.ts';
import { decode } from '../../schema/decode.ts';
import { durationMs, integer, object } from '../../schema/fields.ts';
import { findOwnAddress, isOwnAddress } from '../own-address.ts';
import type { Announcement, Registry } from '../registration.ts';
import { ConsulRegistrar } from './consul-registrar.ts';

/** What a user passes to `consulRegistry()`: how the agent of this host is reached, and when it gives us up. */
export interface ConsulRegistryOptions extends ConsulConnectionOptions {
  /** Without a heartbeat for this long Consul takes the instance for critical, 1 s..1 h. Default 15,000. */
  readonly ttlMs?: number | undefined;
  /** A critical instance is forgotten after this time, 1 min..7 days: Consul takes no less. Default 60,000. */
  readonly forgetAfterMs?: number | undefined;
  /** Share of the traffic while degraded, 0..65,535. Default: the weight, so that degraded is a remark only. */
  readonly degradedWeight?: number | undefined;
}

const schema = object({
  ...connectionShape,
  ttlMs: durationMs({ min: 1_000, max: 3_600_000 }).optional(),
  forgetAfterMs: durationMs({ min: 60_000, max: 7 * 86_400_000 }).optional(),
  degradedWeight: integer({ min: 0, max: 65_535 }).optional(),
});

/** Consul's rule for the names of labels. */
const LABEL_NAME = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Consul as a place to announce oneself: a service with a TTL check, at the agent of this host.
 *
 * @example register({ registry: consulRegistry(), service: 'users', port: 8080 })
 * @throws ConfigError
 */
export function consulRegistry(options: ConsulRegistryOptions = {}): Registry {
  const decoded = decode(schema, options, 'consulRegistry');
  const connection = completeConnection(decoded, 'consulRegistry');
  const { ttlMs = 15_000, forgetAfterMs = 60_000, degradedWeight } = decoded;
  return {
    kind: 'consul',
    address: connection.address,
    open: (announcement, runtime) => {
      assertExpressible(announcement);
      const client = new ConsulClient(connection, new NodeHttp(connection, runtime.scheduler));
      return new ConsulRegistrar({
        announcement,
        client,
        ttlMs,
        forgetAfterMs,
        degradedWeight: degradedWeight ?? announcement.weight,
        findAddress: () => addressBeside(connection),
      });
    },
  };
}

/** An agent on this host is reached where we are, and may have been told an address that we cannot find out. */
async function addressBeside({ target }: ConsulConnection): Promise<string> {
  return target.kind === 'unix' || isOwnAddress(target.host) ? '' : findOwnAddress(target);
}

function assertExpressible({ metadata }: Announcement): void {
  for (const name of Object.keys(metadata)) {
    if (!LABEL_NAME.test(name)) {
      throw configError(
        `register.metadata.${name}`,
        'a name of letters, digits, _ and - (a rule of Consul)',
        name,
      );
    }
  }
}
