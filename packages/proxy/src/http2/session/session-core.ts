/** What the parts of a session share, and what they ask of it. */
import type { HpackDecoder } from '../hpack/decoder.ts';
import type { HpackEncoder } from '../hpack/encoder.ts';
import type { ErrorCode, Http2SessionOwner } from '../http2-stream.ts';
import type { Ending } from './closed-streams.ts';
import type { RateBudget } from './rate-budget.ts';
import type { ReceiveFlow } from './receive-flow.ts';
import type { Sender } from './sender.ts';
import type { Http2Limits, Http2Role } from './session-options.ts';
import type { SessionStream } from './session-stream.ts';
import type { PeerSettings } from './settings.ts';
import type { StreamTable } from './stream-table.ts';

export interface SessionCore {
  readonly role: Http2Role;
  readonly limits: Http2Limits;
  readonly owner: Http2SessionOwner;
  readonly streams: StreamTable;
  readonly sender: Sender;
  readonly encoder: HpackEncoder;
  readonly decoder: HpackDecoder;
  readonly peer: PeerSettings;
  readonly flow: ReceiveFlow;
  readonly idleFrames: RateBudget;
  readonly windowUpdates: RateBudget;
  /** No frame is looked at any more. */
  readonly isClosed: boolean;
  /** Streams above this number are not taken any more, because GOAWAY said so. */
  readonly lastTakenId: number;

  /** A connection error: section 5.4.1. */
  failWith(code: ErrorCode, reason: string): void;
  /** A stream error: section 5.4.2. */
  streamError(stream: SessionStream, code: ErrorCode): void;
  /** The same for a stream that is not there (any more). */
  refuse(streamId: number, code: ErrorCode, ending?: Ending): void;
  /** Counts a stream that was reset. @returns false when that was one too many */
  countReset(): boolean;
  /** Makes a stream that the peer opened. */
  accept(streamId: number): SessionStream;
  closeStream(stream: SessionStream, code: ErrorCode, ending: Ending): void;
  /** The peer has sent the end of a stream, and its owner knows. */
  endReceived(stream: SessionStream): void;
  /** The peer has acknowledged our settings. */
  settingsAcknowledged(): void;
  /** The peer has answered a PING of ours. @param word the last 4 bytes of it */
  pingAnswered(word: number): void;
  goawayReceived(lastStreamId: number, code: ErrorCode): void;
}
