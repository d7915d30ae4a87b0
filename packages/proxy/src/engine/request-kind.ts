/** What the response to a request, and another try of it, depend on. */
import { isIdempotentMethod } from '@evenkeel/core/resilience';
import { ascii } from '../http1/byte-class.ts';
import { Field } from '../http1/known-field.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { isMethod } from '../http1/request-target.ts';
import { grpcTimeoutOf, isGrpc } from './grpc-call.ts';

const GET = ascii('get');

export class RequestKind {
  isHead = false;
  /** Is another protocol asked for? */
  isUpgrade = false;
  /** The names of it, in lower case and with commas around each; '' without one. */
  protocols = '';
  /** Is it a call of gRPC, whose messages may be far apart? */
  isCall = false;
  /** How long its client waits for it, if it says so; `Infinity` otherwise. */
  timeoutMs: number = Number.POSITIVE_INFINITY;
  #isIdempotent = false;

  read(head: RequestHead, bytes: Buffer): void {
    const { from, methodTo, fields, semantics } = head;
    const isGet = isMethod(bytes, from, methodTo, GET);
    this.isHead = !isGet && head.isHead(bytes);
    this.#isIdempotent = isGet || isIdempotentMethod(bytes.toString('latin1', from, methodTo));
    this.isUpgrade =
      semantics.upgrade &&
      head.minor === 1 &&
      fields.countOf(Field.upgrade) === 1 &&
      !this.isHead &&
      !asksForHttp2(head, bytes);
    this.protocols = this.isUpgrade ? protocolsOf(head, bytes) : '';
    this.isCall = isGrpc(fields, bytes);
    this.timeoutMs = this.isCall ? grpcTimeoutOf(fields, bytes) : Number.POSITIVE_INFINITY;
  }

  /** It is over, and says nothing about the next one. */
  forget(): void {
    this.isHead = this.isUpgrade = this.isCall = false;
    this.timeoutMs = Number.POSITIVE_INFINITY;
  }

  /** May an endpoint see it twice? */
  get isRepeatable(): boolean {
    return this.#isIdempotent && !this.isUpgrade;
  }
}

/** Of an `upgrade` field of a request or a response: `,a/1,b,`. */
export function protocolsOf({ fields }: Pick<RequestHead, 'fields'>, bytes: Buffer): string {
  const names = (fields.text(bytes, Field.upgrade) ?? '').toLowerCase().split(',');
  return `,${names.map((name) => name.trim()).join(',')},`;
}

/**
 * `h2c` is not passed on: it is obsolete (RFC 9113 section 3.1), and requests within what would be a tunnel are none that
 * the proxy sees.
 */
function asksForHttp2({ fields }: RequestHead, bytes: Buffer): boolean {
  const line = fields.lineOf(Field.upgrade);
  const text = bytes.toString('latin1', fields.valueFrom(line), fields.valueTo(line));
  return /\bh2c\b/i.test(text);
}
