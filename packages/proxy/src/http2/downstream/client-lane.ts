/**
 * One request after the other of a client that speaks HTTP/2, as a connection of HTTP/1.1 to the engine: routes, filters,
 * retries and limits know nothing of HTTP/2. A lane serves one stream at a time; when that is over, it waits for another,
 * like a connection that is kept alive.
 */
import type { ClientConnection } from '../../engine/client-connection.ts';
import type { ByteStream } from '../../socket/byte-stream.ts';
import {
  ErrorCode,
  type FieldBlock,
  type FieldWriter,
  type Http2Stream,
  type Http2StreamOwner,
} from '../http2-stream.ts';
import { NOBODY, NOWHERE } from '../translate/detached.ts';
import type { HeadBuffer } from '../translate/head-buffer.ts';
import { InboundBody } from '../translate/inbound-body.ts';
import { RequestHeadWriter } from '../translate/request-head.ts';
import { newWebSocketKey, webSocketAcceptOf } from '../translate/web-socket-key.ts';
import { Gathering } from './gathering.ts';
import { ResponseSender } from './response-sender.ts';

/** Most bytes of a body that a head waits for, all of them from one read. */
const MAX_GATHERED_BYTES = 65_536;

/** One for all: used up at once. */
const request = new RequestHeadWriter();

/** What a lane needs of its session. */
export interface LaneHost {
  readonly fields: FieldWriter;
  /** After the current stack. */
  soon(task: () => void): void;
  /** In a later turn of the event loop. */
  later(task: () => void): void;
  /** The stream of a lane is over. @param isReset was it broken off? */
  unbound(isReset: boolean): void;
  /** The lane can take another stream. */
  idle(lane: ClientLane): void;
  /** The lane is over. */
  gone(lane: ClientLane): void;
}

export class ClientLane implements ByteStream, Http2StreamOwner {
  owner: ClientConnection;
  paused = false;
  /** What is written is copied at once. */
  readonly holdsBytes = false;
  /** Has its connection ended? Then it takes no other stream. */
  isDead = false;

  readonly #host: LaneHost;
  readonly #inbound = new InboundBody();
  readonly #sender: ResponseSender;
  #stream: Http2Stream = NOWHERE;
  /** Does it wait for a stream, among others of its session? */
  #isResting = false;
  /** Has the client sent all of its request? */
  #isRequestOver = true;
  /** Has the engine sent all that it will? */
  #isEnded = false;
  /** Is all of the response on its way, and the client's side still open? */
  #isEndSent = false;
  /** What the client sends into a WebSocket that is not open yet. */
  #early: Buffer[] | undefined = undefined;
  /** The head of a request, and what came with it of the body. */
  #gathering: Gathering | undefined = undefined;
  /** Bytes of data that the client may not replace yet. */
  #owedBytes = 0;

  constructor(host: LaneHost, client: ClientConnection) {
    this.#host = host;
    this.owner = client;
    this.#sender = new ResponseSender(host.fields, () => localReasonOf(client));
  }

  /** Serves a stream from now on. */
  bind(stream: Http2Stream): this {
    this.#stream = stream;
    stream.hold();
    this.#isRequestOver = this.#isEndSent = this.#isResting = false;
    this.#early = this.#gathering = undefined;
    this.#owedBytes = 0;
    this.paused = false;
    return this;
  }

  onFields(block: FieldBlock, isEnd: boolean): void {
    let key = '';
    if (!request.write(block, isEnd, () => (key = newWebSocketKey()))) {
      this.#breakOff(ErrorCode.protocolError);
      return;
    }
    const { head, framing, isHead, isGrpc } = request;
    const accept = key === '' ? undefined : webSocketAcceptOf(key);
    if (accept !== undefined) this.#early = [];
    this.#isRequestOver = isEnd;
    this.#sender.begin(this.#stream, { isHead, isGrpc, accept });
    this.#inbound.begin(framing, block.contentLength);
    if (isEnd || accept !== undefined) this.owner.onBytes(head.bytes, 0, head.length);
    else this.#gather(head);
  }

  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  onData(bytes: Buffer, from: number, to: number, isEnd: boolean): void {
    this.#owedBytes += to - from;
    if (isEnd) this.#isRequestOver = true;
    const early = this.#early;
    if (early !== undefined) {
      // It would be read as another request.
      early.push(Buffer.from(bytes.subarray(from, to)));
      return;
    }
    if (!this.#inbound.deliver(this.#gathering ?? this.owner, bytes, from, to, isEnd)) {
      this.#breakOff(ErrorCode.protocolError);
      return;
    }
    const gathering = this.#gathering;
    if (gathering !== undefined) {
      if (isEnd || gathering.length >= MAX_GATHERED_BYTES) this.#passOn();
      return;
    }
    if (isEnd && this.#sender.isOpen) this.owner.onEnd();
    if (!this.paused) this.#settleDebt();
  }

  onTrailers(block: FieldBlock): void {
    this.#isRequestOver = true;
    if (!this.#inbound.finish(this.#gathering ?? this.owner, block))
      this.#breakOff(ErrorCode.protocolError);
    else if (this.#gathering !== undefined) this.#passOn();
    else if (this.#sender.isOpen) this.owner.onEnd();
  }

  onDrain(): void {
    this.#sender.mayGoOn = true;
    this.owner.onDrain();
  }

  onEndSent(): void {
    this.#isEndSent = true;
    if (this.#isEnded && !this.#sender.isOpen) this.#breakOff(ErrorCode.noError);
  }

  onClose(code: ErrorCode): void {
    const stream = this.#stream;
    const sender = this.#sender;
    this.#stream = NOWHERE;
    const isComplete =
      code === ErrorCode.noError && this.#isRequestOver && (sender.isSent || sender.isOver);
    this.#host.unbound(!isComplete);
    if (isComplete && !this.#isEnded) {
      stream.release();
      // A refusal may be told before the engine has written the rest of it.
      if (sender.isOver) this.#rest();
      return;
    }
    this.#die();
    this.owner.onClose();
    this.#release(stream);
  }

  write(bytes: Buffer): boolean {
    const sender = this.#sender;
    const { isOpen, isOver } = sender;
    sender.send(bytes);
    if (sender.isBroken) this.#breakOff(ErrorCode.internalError);
    else if (sender.isOpen && !isOpen) this.#deliverEarly();
    // What was sent to go through it is no request.
    else if (sender.isTurnedDown && !this.#isRequestOver) this.end();
    else if (sender.isOver && !isOver && this.#stream === NOWHERE) this.#rest();
    return sender.mayGoOn;
  }

  end(): void {
    if (this.isDead || this.#isEnded) return;
    this.#isEnded = true;
    const sender = this.#sender;
    if (sender.isOpen) {
      sender.endTunnel();
      return;
    }
    // A stream whose request is over closes when its last bytes are out.
    if (this.#stream === NOWHERE || !sender.isSent) this.#breakOff(ErrorCode.internalError);
    // The rest of the request is not wanted (RFC 9113 section 8.1), but first what was sent has to go out.
    else if (this.#isEndSent) this.#breakOff(ErrorCode.noError);
  }

  destroy(): void {
    this.#breakOff(ErrorCode.cancel);
  }

  reset(): void {
    // Clients of gRPC want to know that the call may be tried again; the end of a stream alone does not say so.
    const isTold = this.#stream !== NOWHERE && this.#sender.breakCall();
    this.#breakOff(isTold ? ErrorCode.noError : ErrorCode.internalError);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#settleDebt();
  }

  /** Waits for what came with the head: a request that is whole can be tried again elsewhere. */
  #gather(head: HeadBuffer): void {
    const gathering = new Gathering(head);
    this.#gathering = gathering;
    this.#host.soon(() => {
      if (this.#gathering === gathering) this.#passOn();
    });
  }

  #passOn(): void {
    const bytes = this.#gathering?.take();
    this.#gathering = undefined;
    if (bytes === undefined || this.isDead) return;
    this.owner.onBytes(bytes, 0, bytes.length);
    if (!this.paused) this.#settleDebt();
  }

  /** The lane is free for another stream. */
  #rest(): void {
    if (this.isDead || this.#isResting) return;
    this.#isResting = true;
    this.#host.idle(this);
  }

  #deliverEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const bytes of early) this.owner.onBytes(bytes, 0, bytes.length);
    if (this.#isRequestOver) this.owner.onEnd();
    if (!this.paused) this.#settleDebt();
  }

  #settleDebt(): void {
    const owed = this.#owedBytes;
    if (owed === 0 || this.#early !== undefined) return;
    this.#owedBytes = 0;
    this.#stream.consume(owed);
  }

  /** Ends the stream, if there is one, and the connection with it. */
  #breakOff(code: ErrorCode): void {
    if (this.isDead) return;
    const stream = this.#stream;
    this.#stream = NOWHERE;
    if (stream !== NOWHERE) {
      stream.owner = NOBODY;
      // A stream with both its ends closes by itself.
      if (code !== ErrorCode.noError || !this.#isRequestOver) stream.reset(code);
      this.#host.unbound(code !== ErrorCode.noError);
    }
    this.#die();
    // Never within a call of the engine's.
    this.#host.soon(() => this.owner.onClose());
    this.#release(stream);
  }

  /** Not before what it led to is over: what resets streams as fast as it opens them finds no free place. */
  #release(stream: Http2Stream): void {
    if (stream !== NOWHERE) this.#host.later(() => stream.release());
  }

  #die(): void {
    this.isDead = true;
    this.#gathering = undefined;
    this.#host.gone(this);
  }
}

/** Why the proxy answers a request itself; undefined when an endpoint does. */
function localReasonOf({ account }: ClientConnection): string | undefined {
  if (account.reason !== undefined) return account.reason;
  return account.tries === 0 ? 'answered here' : undefined;
}
