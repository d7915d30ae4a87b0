import { MAX_GRPC_CODE } from '../../resilience/grpc-code.ts';
import type { HeaderRecord } from './handler.ts';

const CODE = /^\d{1,2}$/;

/** The code of gRPC for a status that it does not define ("Status codes and their use in gRPC"): unknown. */
const UNKNOWN = 2;

/**
 * The status of a gRPC call, if these trailers tell it. One property read for every other answer.
 *
 * @param headers of the response: `grpc-status` counts only in answers of the type `application/grpc`
 * @param trailers or the headers themselves, where a failed call has nothing else
 */
export function grpcCodeOf(headers: HeaderRecord, trailers: HeaderRecord): number | undefined {
  const text = trailers['grpc-status'];
  if (text === undefined) return undefined;
  const type = headers['content-type'];
  if (typeof type !== 'string' || !type.startsWith('application/grpc')) return undefined;
  const code = typeof text === 'string' && CODE.test(text) ? Number(text) : UNKNOWN;
  return code <= MAX_GRPC_CODE ? code : UNKNOWN;
}
