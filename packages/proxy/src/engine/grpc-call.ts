/**
 * What messages say of a call of gRPC. It is a call by its content type, in whatever version of HTTP it comes; how it went
 * is told in trailers, or in the head of a response that has nothing else ("Trailers-Only").
 */
import { type Outcome, outcomeOfStatus } from '@evenkeel/core';
import { decodeGrpcTimeout, outcomeOfGrpcCode } from '@evenkeel/core/resilience';
import { ascii, spells } from '../http1/byte-class.ts';
import type { FieldIndex } from '../http1/field-index.ts';
import { Field } from '../http1/known-field.ts';

/** No response of gRPC. */
export const NOT_A_CALL = -2;
/** Told later, or never. */
export const NOT_TOLD = -1;

/** The code for a status that gRPC does not define. */
const UNKNOWN = 2;
const MAX_CODE = 16;

const TYPE = ascii('application/grpc');
const STATUS = ascii('grpc-status');
const TIMEOUT = ascii('grpc-timeout');

/** @returns the code in the head of a response, {@link NOT_TOLD} or {@link NOT_A_CALL} */
export function grpcCodeOf(fields: FieldIndex, bytes: Buffer): number {
  return isGrpc(fields, bytes) ? grpcCodeIn(fields, bytes) : NOT_A_CALL;
}

/** @returns the code in the head or the trailers of what is known to be a response of gRPC, or {@link NOT_TOLD} */
export function grpcCodeIn(fields: FieldIndex, bytes: Buffer): number {
  const line = lineOf(fields, bytes, STATUS);
  if (line < 0) return NOT_TOLD;
  const text = bytes.toString('latin1', fields.valueFrom(line), fields.valueTo(line));
  const code = /^\d{1,2}$/.test(text) ? Number(text) : UNKNOWN;
  return code <= MAX_CODE ? code : UNKNOWN;
}

/** @returns how long the client of what is known to be a call waits for it in milliseconds; `Infinity` when it does not say */
export function grpcTimeoutOf(fields: FieldIndex, bytes: Buffer): number {
  const line = lineOf(fields, bytes, TIMEOUT);
  if (line < 0) return Number.POSITIVE_INFINITY;
  const text = bytes.toString('latin1', fields.valueFrom(line), fields.valueTo(line));
  return decodeGrpcTimeout(text) ?? Number.POSITIVE_INFINITY;
}

/** How it went, by the head of a response; a code of gRPC says more than its status. */
export function outcomeOfAnswer(status: number, grpcCode: number, hasRetryAfter: boolean): Outcome {
  return grpcCode > 0 ? outcomeOfGrpcCode(grpcCode) : outcomeOfStatus(status, hasRetryAfter);
}

/** Is it a message of gRPC? */
export function isGrpc(fields: FieldIndex, bytes: Buffer): boolean {
  const line = fields.lineOf(Field.contentType);
  if (line < 0) return false;
  const from = fields.valueFrom(line);
  const to = from + TYPE.length;
  return to <= fields.valueTo(line) && spells(bytes, from, to, TYPE);
}

function lineOf(fields: FieldIndex, bytes: Buffer, name: Uint8Array): number {
  for (let line = 0; line < fields.count; line++)
    if (
      fields.kind(line) === Field.other &&
      spells(bytes, fields.nameFrom(line), fields.nameTo(line), name)
    )
      return line;
  return -1;
}
