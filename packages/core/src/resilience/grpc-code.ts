/** The status codes of gRPC that resilience has an opinion on ("Status codes and their use in gRPC"). */
import { Outcome } from '../model/outcome.ts';

/** Codes by name. A failed call has one of 1..16. */
export const GrpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  aborted: 10,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const;

/** Codes 0..16 are defined; anything else is to be read as `unknown`. */
export const MAX_GRPC_CODE = 16;

/** The class of a gRPC status that the endpoint sent: codes that only say "your request was wrong" are a success. */
export function outcomeOfGrpcCode(code: number): Outcome {
  switch (code) {
    case GrpcCode.unknown:
    case GrpcCode.internal:
    case GrpcCode.dataLoss:
      return Outcome.serverError;
    case GrpcCode.unavailable:
      return Outcome.gatewayError;
    case GrpcCode.resourceExhausted:
      return Outcome.overloaded;
    case GrpcCode.deadlineExceeded:
      return Outcome.timeout;
    case GrpcCode.cancelled:
      return Outcome.cancelled;
    default:
      return code >= 0 && code <= MAX_GRPC_CODE ? Outcome.success : Outcome.serverError;
  }
}
