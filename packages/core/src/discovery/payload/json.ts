import { createEndpoint } from '../../model/endpoint.ts';
import { discoveryError } from '../discovery-error.ts';
import {
  type Fields,
  hostOf,
  labelsOf,
  optionalFields,
  optionalText,
  placeOf,
  portOf,
  weightOf,
} from './fields.ts';
import type { Instance } from './instance.ts';

/**
 * JSON of our own registration, and what looks like it:
 *
 *     { "host": "10.0.0.1", "port": 80, "weight": 2, "health": "healthy", "tags": ["blue"],
 *       "metadata": { "version": "v2" }, "locality": { "zone": "a" } }
 *
 * `address` may stand for `host`, or for both as `host:port`. Only `unhealthy` keeps an instance out; `enabled: false`
 * does, too.
 *
 * @throws EvenkeelError, ConfigError
 */
export function decodeJson(fields: Fields): Instance {
  const tags: unknown = fields['tags'];
  const tagLabels = Array.isArray(tags)
    ? tags.flatMap((tag) => (optionalText(tag) ? [[`tag.${tag}`, 'true'] as const] : []))
    : [];
  const endpoint = createEndpoint(
    {
      ...addressOf(fields),
      weight: weightOf(fields['weight']),
      locality: placeOf(optionalFields(fields['locality']) ?? {}),
      metadata: { ...labelsOf(Object.fromEntries(tagLabels)), ...labelsOf(fields['metadata']) },
    },
    'node',
  );
  return {
    endpoint,
    usable: fields['health'] !== 'unhealthy' && fields['enabled'] !== false,
  };
}

function addressOf(fields: Fields): { host: string; port: number } | { address: string } {
  const address = optionalText(fields['address']);
  if (address !== undefined && fields['port'] === undefined) {
    if (!/:\d{1,5}$/.test(address)) throw discoveryError('port is missing');
    return { address };
  }
  return {
    host: hostOf(fields, fields['host'] === undefined ? 'address' : 'host'),
    port: portOf(fields, 'port'),
  };
}
