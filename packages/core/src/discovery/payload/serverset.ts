import { createEndpoint } from '../../model/endpoint.ts';
import { discoveryError } from '../discovery-error.ts';
import {
  type Fields,
  hostOf,
  labelsOf,
  optionalFields,
  placeOf,
  portOf,
  weightOf,
} from './fields.ts';
import type { Instance } from './instance.ts';

/** Names of the nodes that are members; Finagle keeps weights of whole zones beside them, under `vector_`. */
export const SERVERSET_MEMBER_PREFIX = 'member_';

/**
 * A member of a serverset, as Finagle writes it:
 *
 *     { "serviceEndpoint": { "host": "10.0.0.1", "port": 80 },
 *       "additionalEndpoints": { "admin": { "host": "10.0.0.1", "port": 9990 } },
 *       "status": "ALIVE", "shard": 0, "metadata": { "zone": "a" } }
 *
 * Only `ALIVE` is used, as by Finagle. Our registration adds weight and place to the metadata.
 *
 * @param endpointName name of an additional endpoint to use instead of the service endpoint
 * @throws EvenkeelError, ConfigError
 */
export function decodeServerset(fields: Fields, endpointName: string | undefined): Instance {
  const where = endpointOf(fields, endpointName);
  const metadata = labelsOf(fields['metadata']);
  const shard = fields['shard'];
  return {
    endpoint: createEndpoint(
      {
        host: hostOf(where, 'host'),
        port: portOf(where, 'port'),
        weight: weightOf(metadata['weight']),
        locality: placeOf(metadata),
        metadata: typeof shard === 'number' ? { ...metadata, shard: String(shard) } : metadata,
      },
      'node',
    ),
    usable: fields['status'] === 'ALIVE',
  };
}

function endpointOf(fields: Fields, name: string | undefined): Fields {
  const where =
    name === undefined
      ? optionalFields(fields['serviceEndpoint'])
      : optionalFields(optionalFields(fields['additionalEndpoints'])?.[name]);
  if (where === undefined) throw discoveryError(`has no ${name ?? 'serviceEndpoint'}`);
  return where;
}
