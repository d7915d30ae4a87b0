/**
 * Answers of the proxy's own to calls of gRPC: status 200 with the code in `grpc-status`, and no body ("Trailers-Only").
 * The codes follow gRPC's table for statuses of HTTP, but for time limits of the proxy's own.
 */
import type { FieldWriter } from '../http2-stream.ts';

/** Beginning of the content types of all its messages. */
export const GRPC_TYPE = 'application/grpc';

const UNKNOWN = 2;
const UNAVAILABLE = 14;

const CODES: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  // The call, or what it waits for, took longer than it may.
  [408, 4],
  [504, 4],
  [413, 8],
  [429, UNAVAILABLE],
  [431, 8],
  [502, UNAVAILABLE],
  [503, UNAVAILABLE],
]);

/** The code of gRPC for a status of HTTP that comes without one. */
export function grpcCodeOfStatus(status: number): number {
  return CODES.get(status) ?? UNKNOWN;
}

/** @param text of visible ASCII without `%` */
export function writeGrpcRefusal(fields: FieldWriter, status: number, text: string): void {
  fields
    .begin()
    .text(':status', '200')
    .text('content-type', 'application/grpc')
    .text('grpc-status', String(grpcCodeOfStatus(status)))
    .text('grpc-message', text);
}

/** The end of a call whose response broke off. */
export function writeGrpcBreak(fields: FieldWriter, text: string): void {
  fields.beginTrailers().text('grpc-status', String(UNAVAILABLE)).text('grpc-message', text);
}
