import { messageOf } from '../../../error/evenkeel-error.ts';
import { discoveryError } from '../../discovery-error.ts';
import type { Member } from '../../payload/decode-members.ts';
import { parseObject } from '../../payload/fields.ts';
import { decodeHostPort } from '../../payload/host-port.ts';
import type { Instance } from '../../payload/instance.ts';
import { decodeJson } from '../../payload/json.ts';
import type { KeyValue } from '../client/wire.ts';
import { decodeGrpcNaming } from './grpc-naming.ts';

/** How an instance is written into the value of its key. */
export type EtcdFormat = 'host-port' | 'json' | 'grpc-naming';

export const ETCD_FORMATS: readonly ['host-port', 'json', 'grpc-naming'] = [
  'host-port',
  'json',
  'grpc-naming',
];

/** An instance with a longer value describes something else. */
const MAX_BYTES = 65_536;

/**
 * Makes an instance of a value.
 *
 * | `auto`                       | taken for     |
 * |------------------------------|---------------|
 * | an object with `Addr`        | `grpc-naming` |
 * | any other object             | `json`        |
 * | anything else                | `host-port`   |
 *
 * @returns never throws: a value that makes no sense is a member that is wrong. Of two keys with one address the one
 * that was written last counts.
 */
export function decodeValue({ value, modRevision }: KeyValue, format: EtcdFormat | 'auto'): Member {
  try {
    if (value.length > MAX_BYTES) throw discoveryError(`a value of ${value.length} bytes`);
    const instance = decodeText(value.toString('utf8').trim(), format);
    return instance === undefined
      ? { kind: 'other' }
      : { kind: 'instance', instance, createdAt: modRevision };
  } catch (error) {
    return { kind: 'wrong', problem: messageOf(error) };
  }
}

/** @returns undefined for a value that says of itself that nobody is there */
function decodeText(text: string, format: EtcdFormat | 'auto'): Instance | undefined {
  switch (format) {
    case 'host-port':
      return decodeHostPort(text);
    case 'json':
      return decodeJson(parseObject(text));
    case 'grpc-naming':
      return decodeGrpcNaming(parseObject(text));
    case 'auto': {
      if (!text.startsWith('{')) return decodeHostPort(text);
      const fields = parseObject(text);
      return fields['Addr'] === undefined ? decodeJson(fields) : decodeGrpcNaming(fields);
    }
  }
}
