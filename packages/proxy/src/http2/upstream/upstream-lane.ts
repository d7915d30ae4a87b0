/**
 * A connection of HTTP/1.1 to an endpoint, as the engine sees it, whose requests are streams of HTTP/2: each on whatever
 * session has room. Between two requests it holds nothing. Where the endpoint turns out to speak HTTP/1.1 only, it is
 * that connection.
 */
import { type ByteStream, NotTakenError, type StreamOwner } from '../../socket/byte-stream.ts';
import {
  ErrorCode,
  type FieldBlock,
  type Http2Session,
  type Http2Stream,
  type Http2StreamOwner,
} from '../http2-stream.ts';
import { NOBODY, NOWHERE } from '../translate/detached.ts';
import { InboundBody } from '../translate/inbound-body.ts';
import { ResponseHeadWriter } from '../translate/response-head.ts';
import { webSocketAcceptOf } from '../translate/web-socket-key.ts';
import { RequestSender } from './request-sender.ts';

/** One for all: used up at once. */
const response = new ResponseHeadWriter();

/** What a lane needs of those who make sessions. */
export interface UpstreamLaneHost {
  readonly scheme: 'http' | 'https';
  /** After the current stack. */
  soon(task: () => void): void;
  /** A session with room for a stream; undefined when the lane has to wait, and is called by {@link UpstreamLane.go}. */
  sessionFor(lane: UpstreamLane): Http2Session | undefined;
  /** The request of the lane cannot be told in HTTP/2. @returns false if it cannot be sent in another way either */
  wantsPlain(lane: UpstreamLane): boolean;
  /** Hears of the end of streams that no lane has any more. */
  readonly leftovers: Http2StreamOwner;
  streamOpened(): void;
  /** @param isRefused has the endpoint not begun with it? */
  streamClosed(isRefused: boolean): void;
  gone(lane: UpstreamLane): void;
}

export class UpstreamLane implements ByteStream, Http2StreamOwner {
  owner: StreamOwner;
  isDead = false;

  readonly #host: UpstreamLaneHost;
  readonly #sender = new RequestSender();
  readonly #inbound = new InboundBody();
  /** The connection that the lane has become. */
  #plain: ByteStream | undefined = undefined;
  #stream: Http2Stream = NOWHERE;
  /** What has to wait for a session, or for the rest of a head. */
  #held: Buffer | undefined = undefined;
  #paused = false;
  #owedBytes = 0;
  /** Is it a tunnel by now, which no end of a message ends? */
  #isOpen = false;

  constructor(host: UpstreamLaneHost, owner: StreamOwner) {
    this.#host = host;
    this.owner = owner;
  }

  /** Is it a connection of HTTP/1.1? */
  get isPlain(): boolean {
    return this.#plain !== undefined;
  }

  get paused(): boolean {
    return this.#plain?.paused ?? this.#paused;
  }

  get holdsBytes(): boolean {
    return this.#plain?.holdsBytes ?? false;
  }

  write(bytes: Buffer): boolean {
    if (this.#plain !== undefined) return this.#plain.write(bytes);
    if (this.isDead) return true;
    const sender = this.#sender;
    if (sender.hasHead && (!sender.isOver || this.#isOpen)) {
      if (!sender.send(bytes, 0)) this.#breakOff(ErrorCode.internalError, undefined);
      return sender.mayGoOn;
    }
    const held = this.#held;
    if (held === undefined) sender.begin();
    const all = held === undefined ? bytes : Buffer.concat([held, bytes]);
    this.#held = undefined;
    return this.#begin(all);
  }

  end(): void {
    if (this.#plain !== undefined) this.#plain.end();
    else if (this.#isOpen) this.#sender.endTunnel();
    else this.destroy();
  }

  destroy(): void {
    if (this.#plain !== undefined) this.#plain.destroy();
    else this.#breakOff(ErrorCode.cancel, undefined);
  }

  reset(): void {
    if (this.#plain !== undefined) this.#plain.reset();
    else this.#breakOff(ErrorCode.cancel, undefined);
  }

  pause(): void {
    if (this.#plain !== undefined) this.#plain.pause();
    else this.#paused = true;
  }

  resume(): void {
    if (this.#plain !== undefined) {
      this.#plain.resume();
      return;
    }
    this.#paused = false;
    this.#settleDebt(this.#stream);
  }

  /** There is a session for the requests of this lane, or can be. */
  arrived(): void {
    if (!this.isDead) this.owner.onConnect();
  }

  /** A session has room now. */
  go(): void {
    const held = this.#held;
    this.#held = undefined;
    if (this.isDead || held === undefined) return;
    this.#begin(held);
    if (this.#held === undefined && this.#sender.mayGoOn) this.owner.onDrain();
  }

  /** The lane is a connection of HTTP/1.1 from now on. @param isArrival does the engine still wait for it? */
  become(stream: ByteStream, isArrival: boolean): void {
    this.#plain = stream;
    const { owner } = this;
    stream.owner = owner;
    this.#host.gone(this);
    if (isArrival) owner.onConnect();
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && stream.write(held)) owner.onDrain();
    if (this.#paused) stream.pause();
  }

  /** There is no session for it, and none to come. */
  fail(error: Error): void {
    this.#breakOff(ErrorCode.cancel, error);
  }

  onFields(block: FieldBlock, isEnd: boolean): void {
    const { isHead, isTunnel, key } = this.#sender;
    const accept = isTunnel ? webSocketAcceptOf(key) : undefined;
    if (!response.write(block, isEnd, { isHead, accept })) {
      this.#broken();
      return;
    }
    const { head, framing } = response;
    if (block.status >= 200) {
      this.#isOpen = accept !== undefined && block.status < 300;
      this.#inbound.begin(framing, block.contentLength);
      if (isEnd && !this.#isOpen) this.#leave();
    }
    this.owner.onBytes(head.bytes, 0, head.length);
    if (isEnd && this.#isOpen) this.owner.onEnd();
  }

  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  onData(bytes: Buffer, from: number, to: number, isEnd: boolean): void {
    const stream = this.#stream;
    this.#owedBytes += to - from;
    const { owner } = this;
    if (isEnd && !this.#isOpen) this.#leave();
    if (!this.#inbound.deliver(owner, bytes, from, to, isEnd)) {
      this.#broken();
      return;
    }
    if (isEnd && this.#isOpen) owner.onEnd();
    if (!this.#paused) this.#settleDebt(stream);
  }

  onTrailers(block: FieldBlock): void {
    if (!this.#isOpen) this.#leave();
    if (!this.#inbound.finish(this.owner, block)) this.#broken();
    else if (this.#isOpen) this.owner.onEnd();
  }

  onDrain(): void {
    this.#sender.mayGoOn = true;
    this.owner.onDrain();
  }

  onClose(code: ErrorCode): void {
    this.#stream = NOWHERE;
    const isRefused = code === ErrorCode.refusedStream;
    this.#host.streamClosed(isRefused);
    this.#die();
    const text = `the endpoint closed the stream with code ${code}`;
    if (this.#isOpen && code === ErrorCode.noError) this.owner.onClose(undefined);
    else this.owner.onClose(isRefused ? new NotTakenError(text) : new Error(text));
  }

  #begin(bytes: Buffer): boolean {
    const sender = this.#sender;
    const verdict = sender.look(bytes);
    if (verdict === 'incomplete') {
      this.#held = Buffer.from(bytes);
      return true;
    }
    if (verdict === 'bad') {
      this.#breakOff(ErrorCode.internalError, undefined);
      return true;
    }
    const session = this.#host.sessionFor(this);
    if (session === undefined) {
      // Copied, because whoever wrote it will write something else there.
      this.#held = Buffer.from(bytes);
      sender.mayGoOn = false;
      return false;
    }
    if (sender.isUpgrade && !(sender.isTunnel && session.peerTakesConnectProtocol)) {
      this.#held = Buffer.from(bytes);
      if (!this.#host.wantsPlain(this))
        this.#breakOff(ErrorCode.cancel, new NotTakenError('HTTP/2 has no such upgrade'));
      return false;
    }
    sender.mayGoOn = true;
    this.#isOpen = false;
    this.#owedBytes = 0;
    const stream = session.open(this);
    this.#stream = stream;
    this.#host.streamOpened();
    const at = sender.sendHead(stream, session.fields, bytes, this.#host.scheme);
    if (at < bytes.length && !sender.send(bytes, at))
      this.#breakOff(ErrorCode.internalError, undefined);
    return sender.mayGoOn;
  }

  /** The response is complete: with the bytes that are handed over next the engine may begin another request. */
  #leave(): void {
    const stream = this.#stream;
    if (stream === NOWHERE || !this.#sender.isOver) return;
    this.#stream = NOWHERE;
    stream.owner = this.#host.leftovers;
    this.#host.streamClosed(false);
    // What was sent of the request and not taken yet is not wanted.
    if (!this.#sender.mayGoOn) stream.reset(ErrorCode.cancel);
  }

  /** The endpoint's message breaks a rule. */
  #broken(): void {
    this.#breakOff(ErrorCode.protocolError, new Error('a response that breaks a rule'));
  }

  #breakOff(code: ErrorCode, error: Error | undefined): void {
    if (this.isDead) return;
    const stream = this.#stream;
    this.#stream = NOWHERE;
    this.#held = undefined;
    if (stream !== NOWHERE) {
      stream.owner = NOBODY;
      stream.reset(code);
      this.#host.streamClosed(false);
    }
    this.#die();
    // Never within a call of the engine's.
    this.#host.soon(() => this.owner.onClose(error));
  }

  #settleDebt(stream: Http2Stream): void {
    const owed = this.#owedBytes;
    if (owed === 0) return;
    this.#owedBytes = 0;
    stream.consume(owed);
  }

  #die(): void {
    this.isDead = true;
    this.#host.gone(this);
  }
}
