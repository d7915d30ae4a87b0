import { createEndpoint } from '../../model/endpoint.ts';
import { discoveryError } from '../discovery-error.ts';
import type { Instance } from './instance.ts';

const MAX_LENGTH = 300;

/**
 * `10.0.0.1:8080`, `[2001:db8::1]:8080` or `name:8080`, as the data of a node, or as its name where it has no data.
 *
 * @throws EvenkeelError, ConfigError
 */
export function decodeHostPort(text: string): Instance {
  const address = text.trim();
  // A path of a socket would be one of the other host.
  if (address.length > MAX_LENGTH || !/:\d{1,5}$/.test(address) || address.startsWith('unix:')) {
    throw discoveryError('no host:port');
  }
  return { endpoint: createEndpoint({ address }, 'node'), usable: true };
}
