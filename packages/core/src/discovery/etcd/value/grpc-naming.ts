import { createEndpoint } from '../../../model/endpoint.ts';
import { discoveryError } from '../../discovery-error.ts';
import {
  type Fields,
  labelsOf,
  optionalFields,
  optionalText,
  placeOf,
  weightOf,
} from '../../payload/fields.ts';
import type { Instance } from '../../payload/instance.ts';

/** `Op` of an update that takes an address away; 0, or none, adds it. */
const DELETE = 1;

/**
 * What etcd's own naming package for gRPC in Go writes (`naming/endpoints`):
 *
 *     { "Op": 0, "Addr": "10.0.0.1:80", "Metadata": { "weight": 2, "zone": "a" } }
 *
 * `Metadata` may be anything; an object's plain fields become labels, and `weight`, `region`, `zone` and `subzone` among
 * them are heeded. Any other value is the label `metadata`.
 *
 * @throws EvenkeelError, ConfigError
 */
export function decodeGrpcNaming(fields: Fields): Instance | undefined {
  const op = fields['Op'] ?? 0;
  if (op === DELETE) return undefined;
  const address = optionalText(fields['Addr']);
  if (op !== 0 || address === undefined) throw discoveryError('neither Op 0 nor an Addr');
  if (!/:\d{1,5}$/.test(address)) throw discoveryError('Addr has no port');
  const raw = fields['Metadata'];
  const labels = optionalFields(raw) ?? { metadata: raw };
  return {
    endpoint: createEndpoint(
      {
        address,
        weight: weightOf(labels['weight']),
        locality: placeOf(labels),
        metadata: labelsOf(labels),
      },
      'value',
    ),
    usable: true,
  };
}
