import { discoveryError } from '../discovery-error.ts';
import { decodeCurator } from './curator.ts';
import { parseObject } from './fields.ts';
import { decodeHostPort } from './host-port.ts';
import type { Instance, PayloadFormat } from './instance.ts';
import { decodeJson } from './json.ts';
import { decodeServerset, SERVERSET_MEMBER_PREFIX } from './serverset.ts';

export interface PayloadRules {
  /** `auto`: each node by what it looks like. */
  readonly format: PayloadFormat | 'auto';
  /** Which of several endpoints of an instance; undefined: the main one. */
  readonly endpoint: string | undefined;
}

/** An instance with more data than this describes something else. */
const MAX_BYTES = 65_536;

/**
 * Makes an instance of a node.
 *
 * | `auto`                                      | taken for   |
 * |---------------------------------------------|-------------|
 * | no data                                     | `host-port`, the name of the node |
 * | an object with `serviceEndpoint`            | `serverset` |
 * | an object with `serviceType` or `sslPort`   | `curator`   |
 * | any other object                            | `json`      |
 * | anything else                               | `host-port` |
 *
 * @returns undefined for a node that is no instance by its name
 * @throws EvenkeelError or ConfigError for data that makes no sense
 */
export function decodePayload(
  name: string,
  data: Buffer,
  rules: PayloadRules,
): Instance | undefined {
  const { format, endpoint } = rules;
  if (format === 'serverset' && !name.startsWith(SERVERSET_MEMBER_PREFIX)) return undefined;
  if (data.length > MAX_BYTES) throw discoveryError(`${data.length} bytes of data`);
  const text = data.toString('utf8').trim();
  switch (format) {
    case 'host-port':
      return decodeHostPort(text === '' ? name : text);
    case 'json':
      return decodeJson(parseObject(text));
    case 'serverset':
      return decodeServerset(parseObject(text), endpoint);
    case 'curator':
      return decodeCurator(parseObject(text), endpoint);
    case 'auto':
      return decodeAny(name, text, endpoint);
  }
}

function decodeAny(name: string, text: string, endpoint: string | undefined): Instance | undefined {
  if (!text.startsWith('{')) return decodeHostPort(text === '' ? name : text);
  const fields = parseObject(text);
  if (fields['serviceEndpoint'] !== undefined) return decodeServerset(fields, endpoint);
  if (fields['vector'] !== undefined && name.startsWith('vector_')) return undefined;
  const isCurator = fields['serviceType'] !== undefined || fields['sslPort'] !== undefined;
  return isCurator ? decodeCurator(fields, endpoint) : decodeJson(fields);
}
