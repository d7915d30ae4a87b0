/** The time left, in the headers of undici's requests: what a caller's own caller has said, and what endpoints are told. */
import type { Dispatcher } from 'undici';
import {
  decodeGrpcTimeout,
  decodeTimeout,
  encodeGrpcTimeout,
  encodeTimeout,
  GRPC_TIMEOUT_HEADER,
  TIMEOUT_HEADER,
} from '../../resilience/timeout-header.ts';
import { requestHeader, withHeader } from './request-headers.ts';

type Request = Dispatcher.DispatchOptions;

/** Milliseconds that a request brought along; undefined when it says nothing. */
export function incomingTimeoutMs({ headers }: Request): number | undefined {
  if (headers === undefined || headers === null) return undefined;
  const text = requestHeader(headers, TIMEOUT_HEADER);
  return text === undefined
    ? decodeGrpcTimeout(requestHeader(headers, GRPC_TIMEOUT_HEADER))
    : decodeTimeout(text);
}

/** The request with the time left in its headers. @param timeoutMs infinity or less than 1: the request as it is */
export function withTimeout(request: Request, timeoutMs: number): Request {
  const isGrpc = requestHeader(request.headers, 'content-type')?.startsWith('application/grpc');
  const value = isGrpc === true ? encodeGrpcTimeout(timeoutMs) : encodeTimeout(timeoutMs);
  if (value === undefined) return request;
  return withHeader(request, isGrpc === true ? GRPC_TIMEOUT_HEADER : TIMEOUT_HEADER, value);
}
