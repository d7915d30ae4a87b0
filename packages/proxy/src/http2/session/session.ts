/** A session of HTTP/2, server or client: the life of its streams, and of the connection. */
import { systemTurnEnd } from '../../runtime/turn-end.ts';
import type { ByteStream } from '../../socket/byte-stream.ts';
import { MAX_STREAM_ID, PREFACE } from '../frame/frame-type.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { HpackEncoder } from '../hpack/encoder.ts';
import {
  ErrorCode,
  type FieldWriter,
  type Http2Session,
  type Http2SessionOwner,
  type Http2Stream,
  type Http2StreamOwner,
} from '../http2-stream.ts';
import { Ending } from './closed-streams.ts';
import { Departure, DRAIN_PING } from './departure.ts';
import { Http2Error } from './http2-error.ts';
import { RateBudget } from './rate-budget.ts';
import { ReceiveFlow } from './receive-flow.ts';
import { Receiver } from './receiver.ts';
import { Sender, type SenderOwner } from './sender.ts';
import type { SessionCore } from './session-core.ts';
import {
  DEFAULT_HTTP2_LIMITS,
  type Http2Limits,
  type Http2Role,
  type Http2SessionOptions,
} from './session-options.ts';
import { NOBODY, SessionStream, type StreamHost } from './session-stream.ts';
import { SessionWatch, type Watched } from './session-watch.ts';
import { PeerSettings, writeSettings } from './settings.ts';
import { StreamTable } from './stream-table.ts';

/** Makes a session. It is to become the owner of a byte stream, and then to be attached to it. */
export function createHttp2Session(
  owner: Http2SessionOwner,
  options: Http2SessionOptions,
): Http2Session {
  return new Session(owner, options);
}

class Session implements Http2Session, SessionCore, StreamHost, SenderOwner, Watched {
  readonly role: Http2Role;
  readonly limits: Http2Limits;
  readonly owner: Http2SessionOwner;
  readonly streams: StreamTable;
  readonly sender: Sender;
  readonly encoder: HpackEncoder;
  readonly decoder: HpackDecoder;
  readonly peer: PeerSettings = new PeerSettings();
  readonly flow: ReceiveFlow;
  readonly idleFrames: RateBudget;
  readonly windowUpdates: RateBudget;
  isClosed = false;
  isSettled = false;
  reads = 0;

  readonly #resets: RateBudget;
  readonly receiver: Receiver;
  readonly #watch: SessionWatch;
  readonly departure: Departure;
  #stream: ByteStream | undefined = undefined;
  /** Streams of ours that have no number yet. */
  #unsentCount = 0;
  /** The peer sends nothing more. */
  #isPeerDone = false;
  #isIdle = true;
  #error: Error | undefined = undefined;

  constructor(owner: Http2SessionOwner, options: Http2SessionOptions) {
    const { clock } = options.runtime;
    const limits = { ...DEFAULT_HTTP2_LIMITS, ...options.limits };
    this.role = options.role;
    this.limits = limits;
    this.owner = owner;
    this.streams = new StreamTable(options.role);
    this.encoder = new HpackEncoder(limits.maxEncoderTableBytes);
    this.decoder = new HpackDecoder(limits);
    this.sender = new Sender(this, this.encoder, {
      turnEnd: options.turnEnd ?? systemTurnEnd,
      maxQueuedControlFrames: limits.maxQueuedControlFrames,
    });
    this.flow = new ReceiveFlow(this.sender, limits);
    this.#resets = new RateBudget(limits.resets, clock);
    this.idleFrames = new RateBudget(limits.idleFrames, clock);
    this.windowUpdates = new RateBudget(limits.windowUpdates, clock);
    this.receiver = new Receiver(this);
    this.#watch = new SessionWatch(this, this, options);
    this.departure = new Departure(options.role, this.sender, this.streams);
  }

  // The session, as its user drives it.

  get stream(): ByteStream {
    return this.#stream as ByteStream;
  }

  get fields(): FieldWriter {
    return this.encoder;
  }

  get openCount(): number {
    return this.streams.openCount;
  }

  get canOpen(): boolean {
    return (
      !this.isClosed &&
      !this.departure.isDraining &&
      !this.#isPeerDone &&
      this.streams.openCount + this.#unsentCount < this.peer.maxConcurrentStreams &&
      this.streams.nextOwnId <= MAX_STREAM_ID
    );
  }

  get peerTakesConnectProtocol(): boolean {
    return this.peer.takesConnectProtocol;
  }

  attach(stream: ByteStream): void {
    this.#stream = stream;
    this.sender.attach(stream);
    const { writer } = this.sender;
    if (this.role === 'client') writer.bytes(PREFACE, 0, PREFACE.length);
    writeSettings(writer, this.role, this.limits);
    this.flow.begin();
    this.sender.touch();
    this.#watch.start();
  }

  open(owner: Http2StreamOwner): Http2Stream {
    this.#unsentCount++;
    return new SessionStream(this, 0, owner);
  }

  drain(): void {
    if (this.departure.isDraining || this.isClosed) return;
    this.departure.begin();
    this.#endIfDone();
  }

  fail(code: ErrorCode): void {
    this.failWith(code, 'closed by its owner');
  }

  flush(): void {
    this.sender.flush();
  }

  // The session, as its byte stream sees it.

  onBytes(bytes: Buffer, from: number, to: number): void {
    if (this.isClosed) return;
    this.reads++;
    this.receiver.onBytes(bytes, from, to);
  }

  onEnd(): void {
    this.#isPeerDone = true;
    if (this.isClosed) return;
    // What is not complete will never be. Requests that are may still be answered.
    for (const stream of [...this.streams.all()])
      if (!stream.remoteEnded) this.closeStream(stream, ErrorCode.cancel, Ending.resetByPeer);
    this.#endIfDone();
  }

  onDrain(): void {
    this.sender.onDrain();
  }

  onConnect(): void {
    // What was written meanwhile is on its way.
  }

  onClose(error: Error | undefined): void {
    this.isClosed = true;
    this.sender.close();
    this.#watch.stop();
    this.#closeAll(ErrorCode.internalError);
    this.owner.onClose(this.#error ?? error);
  }

  // The session, as its streams see it.

  sendFields(stream: SessionStream, isEnd: boolean): void {
    if (stream.isClosed || stream.localEnded) return;
    if (stream.id === 0) {
      // Too late: nobody would answer.
      if (this.isClosed || this.departure.isDraining || this.#isPeerDone) {
        this.#abandon(stream, ErrorCode.refusedStream);
        return;
      }
      this.#begin(stream);
    }
    if (isEnd) stream.localEnded = true;
    if (stream.queue.length === 0) {
      this.sender.headers(stream, isEnd);
      return;
    }
    // Trailers wait for the data before them.
    const { block, prefixLength } = this.encoder;
    stream.trailers = Buffer.from(block.bytes.subarray(prefixLength, block.tail));
  }

  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  sendData(
    stream: SessionStream,
    bytes: Buffer,
    from: number,
    to: number,
    isEnd: boolean,
  ): boolean {
    if (stream.isClosed || stream.localEnded || stream.id === 0) return true;
    if (isEnd) stream.localEnded = true;
    return this.sender.data(stream, bytes, from, to, isEnd);
  }

  consume(stream: SessionStream, byteCount: number): void {
    if (stream.isClosed) return;
    stream.unconsumedBytes -= byteCount;
    this.flow.giveOn(stream, byteCount);
  }

  resetStream(stream: SessionStream, code: ErrorCode): void {
    if (stream.isClosed) return;
    if (stream.id === 0) {
      this.#abandon(stream, code);
      return;
    }
    this.#writeReset(stream.id, code);
    this.closeStream(stream, code, Ending.resetByUs);
  }

  release(stream: SessionStream): void {
    this.streams.released(stream);
  }

  /** A stream of ours gets its number. */
  #begin(stream: SessionStream): void {
    this.#unsentCount--;
    stream.id = this.streams.takeId();
    stream.method = this.encoder.method;
    this.#add(stream);
  }

  #add(stream: SessionStream): void {
    stream.sendWindow = this.peer.initialWindowBytes;
    this.flow.open(stream);
    this.streams.add(stream);
    if (!this.#isIdle) return;
    this.#isIdle = false;
    this.owner.onIdleChange(false);
  }

  /** A stream that was never sent ends. */
  #abandon(stream: SessionStream, code: ErrorCode): void {
    this.#unsentCount--;
    stream.isClosed = true;
    stream.owner.onClose(code);
  }

  // The session, as its parts see it.

  get lastTakenId(): number {
    return this.departure.lastTakenId;
  }

  accept(streamId: number): SessionStream {
    const stream = new SessionStream(this, streamId, NOBODY);
    this.#add(stream);
    return stream;
  }

  onEndSent(stream: SessionStream): void {
    if (stream.remoteEnded) this.closeStream(stream, ErrorCode.noError, Ending.complete);
    else stream.owner.onEndSent?.();
  }

  endReceived(stream: SessionStream): void {
    if (stream.localEndSent) this.closeStream(stream, ErrorCode.noError, Ending.complete);
  }

  onControlOverflow(): void {
    this.#error = new Http2Error(ErrorCode.enhanceYourCalm, 'the peer asks and does not read');
    this.isClosed = true;
    this.sender.close();
    this.stream.destroy();
  }

  streamError(stream: SessionStream, code: ErrorCode): void {
    this.#writeReset(stream.id, code);
    this.closeStream(stream, code, Ending.resetByUs);
    this.#countProvoked();
  }

  refuse(streamId: number, code: ErrorCode): void {
    this.#writeReset(streamId, code);
    this.streams.refused(streamId, Ending.resetByUs);
    this.#countProvoked();
  }

  countReset(): boolean {
    return this.#resets.take();
  }

  /** Our resets that a peer provokes cost as much as its own. */
  #countProvoked(): void {
    if (this.role === 'server' && !this.#resets.take())
      this.failWith(ErrorCode.enhanceYourCalm, 'too many streams had to be reset');
  }

  #writeReset(streamId: number, code: ErrorCode): void {
    if (this.isClosed) return;
    this.sender.writer.rstStream(streamId, code);
    this.sender.touchControl();
  }

  closeStream(stream: SessionStream, code: ErrorCode, ending: Ending): void {
    if (stream.isClosed) return;
    stream.isClosed = true;
    this.streams.remove(stream, ending);
    this.sender.drop(stream);
    if (stream.unconsumedBytes > 0 && !this.isClosed) this.flow.give(stream.unconsumedBytes);
    stream.owner.onClose(code);
    if (this.streams.openCount > 0 || this.#isIdle) return;
    this.#isIdle = true;
    this.owner.onIdleChange(true);
    this.#endIfDone();
  }

  settingsAcknowledged(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.decoder.settingsAcknowledged();
    this.flow.settingsAcknowledged(this.streams.all());
  }

  pingAnswered(word: number): void {
    this.departure.answered(word);
    this.#endIfDone();
  }

  goawayReceived(lastStreamId: number, code: ErrorCode): void {
    if (this.role === 'server') return;
    this.departure.isDraining = true;
    if (code !== ErrorCode.noError)
      this.#error ??= new Http2Error(code, 'the peer said GOAWAY', true);
    for (const stream of [...this.streams.all()])
      if (stream.id > lastStreamId)
        this.closeStream(stream, ErrorCode.refusedStream, Ending.resetByPeer);
    this.owner.onGoaway(lastStreamId, code);
    this.#endIfDone();
  }

  failWith(code: ErrorCode, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#error = new Http2Error(code, reason);
    this.sender.writer.goaway(this.streams.lastPeerId, code);
    this.#end(false);
    this.#closeAll(code);
  }

  // The session, as its watch sees it.

  leaveIdle(): void {
    this.failWith(ErrorCode.noError, 'nothing to do for too long');
  }

  pongOverdue(): void {
    if (this.departure.isDraining) this.pingAnswered(DRAIN_PING);
    else this.destroy();
  }

  destroy(): void {
    this.#stream?.destroy();
  }

  #closeAll(code: ErrorCode): void {
    for (const stream of [...this.streams.all()]) this.closeStream(stream, code, Ending.resetByUs);
  }

  /** No stream is open and none will be: the connection ends. */
  #endIfDone(): void {
    if (this.isClosed || this.streams.openCount + this.#unsentCount > 0) return;
    if (!this.departure.isReady && !this.#isPeerDone) return;
    this.isClosed = true;
    this.#end(true);
  }

  #end(isGraceful: boolean): void {
    this.sender.finish();
    this.#stream?.end();
    this.#watch.linger(isGraceful);
  }
}
