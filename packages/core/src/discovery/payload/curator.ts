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
 * A `ServiceInstance` of Apache Curator's service discovery, with the payload that Spring Cloud gives it, if any:
 *
 *     { "name": "users", "id": "...", "address": "10.0.0.1", "port": 80, "sslPort": null, "serviceType": "DYNAMIC",
 *       "payload": { "metadata": { "weight": "2", "zone": "a", "instance_status": "UP" } }, "enabled": true }
 *
 * An instance that is not `enabled`, or whose status of Spring Cloud is another than `UP`, is not used.
 *
 * @param endpointName `ssl`: the port for TLS
 * @throws EvenkeelError, ConfigError
 */
export function decodeCurator(fields: Fields, endpointName: string | undefined): Instance {
  if (endpointName !== undefined && endpointName !== 'ssl') {
    throw discoveryError(`has no endpoint ${endpointName}`);
  }
  const payload = optionalFields(fields['payload']);
  const metadata = labelsOf(payload?.['metadata']);
  const id = optionalText(fields['id']);
  const status = metadata['instance_status'];
  return {
    endpoint: createEndpoint(
      {
        host: hostOf(fields, 'address'),
        port: portOf(fields, endpointName === 'ssl' ? 'sslPort' : 'port'),
        weight: weightOf(metadata['weight']),
        locality: placeOf(metadata),
        metadata: id === undefined ? metadata : { 'curator.id': id.slice(0, 256), ...metadata },
      },
      'node',
    ),
    usable: fields['enabled'] !== false && (status === undefined || status === 'UP'),
  };
}
