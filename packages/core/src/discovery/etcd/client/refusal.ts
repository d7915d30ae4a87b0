import { EvenkeelError } from '../../../error/evenkeel-error.ts';
import { redactText } from '../../../error/redact.ts';

/** Of a refusal, so much is told; etcd's are one line. */
const MAX_REASON_LENGTH = 200;

/** Codes of gRPC that etcd uses (google.rpc.Code). */
export const GrpcCode = {
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What speaks against the member that said it, and not against what it was asked. */
const FAULTS: ReadonlySet<number> = new Set([
  GrpcCode.unknown,
  GrpcCode.deadlineExceeded,
  GrpcCode.internal,
  GrpcCode.unavailable,
]);

/** Words of etcd for a token that is worth nothing (any more), or is missing: authentication may just have been turned on. */
const TOKEN_PROBLEM = /invalid auth token|user name is empty|revision of auth store is old/i;

/** etcd answered, and said no. */
export class EtcdRefusal extends EvenkeelError {
  /** HTTP status; 0 within a stream. */
  readonly status: number;
  /** Of gRPC; undefined: it was not etcd itself that said no. */
  readonly grpcCode: number | undefined;

  constructor(status: number, grpcCode: number | undefined, message: string) {
    super('EVENKEEL_DISCOVERY', message, { retryable: true });
    this.status = status;
    this.grpcCode = grpcCode;
  }

  /** @param raw the body of an answer, a text, or what stands at `error` in a stream */
  static of(status: number, raw: unknown): EtcdRefusal {
    const fields =
      typeof raw === 'object' && raw !== null ? (raw as Readonly<Record<string, unknown>>) : {};
    // What refuses a stream from the start looks like a line of one.
    if (typeof fields['error'] === 'object') return EtcdRefusal.of(status, fields['error'] ?? '');
    const code = fields['code'] ?? fields['grpc_code'];
    const told = fields['message'] ?? fields['error'] ?? raw;
    const text = typeof told === 'string' ? told : '';
    const line = redactText(text.split('\n', 1)[0] ?? '').slice(0, MAX_REASON_LENGTH);
    const answered = status === 0 ? 'refused' : `answered ${status}`;
    return new EtcdRefusal(
      status,
      typeof code === 'number' ? code : undefined,
      line === '' ? answered : `${answered}: ${line}`,
    );
  }

  /** Would another member perhaps do better? */
  get isFault(): boolean {
    if (this.grpcCode !== undefined) return FAULTS.has(this.grpcCode);
    return this.status >= 500 || this.status === 0;
  }

  /** Would a new token help? */
  get isTokenProblem(): boolean {
    return this.grpcCode === GrpcCode.unauthenticated || TOKEN_PROBLEM.test(this.message);
  }
}

/** A refusal from the body of an answer. What is no JSON did not come from etcd, but from something before it. */
export function refusalOf(status: number, content: Buffer): EtcdRefusal {
  const text = content.toString('utf8').trim();
  try {
    return EtcdRefusal.of(status, JSON.parse(text));
  } catch {
    return EtcdRefusal.of(status, text);
  }
}
