/** The first frame in each direction. The library's own lacks the flag for servers that serve reads only. */
import { discoveryError } from '../../discovery-error.ts';
import type { SessionKey } from './library.ts';

export interface HandshakeOptions {
  readonly sessionTimeoutMs: number;
  readonly resume: SessionKey | undefined;
  readonly readOnly: boolean;
}

const PASSWORD_BYTES = 16;
/** Protocol version, last transaction seen, timeout, session, length of the password, password, flag. */
const REQUEST_BYTES = 4 + 8 + 4 + 8 + 4 + PASSWORD_BYTES + 1;
/** Without the flag, which servers before 3.4 leave out. */
const ANSWER_BYTES = 4 + 4 + 8 + 4 + PASSWORD_BYTES;
/** A reply header without anything behind it: xid, zxid, error code. */
const REFUSAL_BYTES = 4 + 8 + 4;

/**
 * The transaction seen last stays 0: a server that lost its data would refuse us for ever, because it has none as new.
 */
export function encodeHandshake({ sessionTimeoutMs, resume, readOnly }: HandshakeOptions): Buffer {
  const frame = Buffer.alloc(4 + REQUEST_BYTES);
  frame.writeInt32BE(REQUEST_BYTES, 0);
  frame.writeInt32BE(sessionTimeoutMs, 16);
  resume?.id.copy(frame, 20);
  frame.writeInt32BE(PASSWORD_BYTES, 28);
  resume?.password.copy(frame, 32);
  frame.writeUInt8(readOnly ? 1 : 0, 48);
  return frame;
}

/** @throws EvenkeelError when the frame is no answer to a handshake */
export function inspectHandshake(frame: Buffer): { expired: boolean; readOnly: boolean } {
  const length = frame.length - 4;
  // A server that has lost its ensemble, and is not set up for local sessions, answers so: -119.
  if (length === REFUSAL_BYTES) {
    throw discoveryError(`the server gives no session: ${frame.readInt32BE(16)}`);
  }
  const isAnswer =
    (length === ANSWER_BYTES || length === ANSWER_BYTES + 1) &&
    frame.readInt32BE(4) === 0 &&
    frame.readInt32BE(20) === PASSWORD_BYTES;
  if (!isAnswer) throw discoveryError('no ZooKeeper server: its first answer makes no sense');
  return {
    expired: frame.readInt32BE(8) <= 0,
    readOnly: length > ANSWER_BYTES && frame.readUInt8(4 + ANSWER_BYTES) === 1,
  };
}
