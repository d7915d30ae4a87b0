import { ErrorCode } from '../http2-stream.ts';

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ErrorCode).map(([name, code]) => [code, name]),
);

/** Why a connection of HTTP/2 ended. */
export class Http2Error extends Error {
  /** RFC 9113 section 7. */
  readonly code: ErrorCode;
  /** Did the peer say so? Otherwise we did. */
  readonly isRemote: boolean;

  constructor(code: ErrorCode, reason: string, isRemote = false) {
    super(`HTTP/2 connection error ${NAMES.get(code) ?? code}: ${reason}`);
    this.name = 'Http2Error';
    this.code = code;
    this.isRemote = isRemote;
  }
}
