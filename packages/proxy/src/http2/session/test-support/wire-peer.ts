/** A session on a stream in memory, and the other side of it, which speaks in frames. */
import { createManualRuntime, type ManualRuntime } from '@evenkeel/core/testing';
import { Sweeper } from '../../../socket/sweeper.ts';
import { Flag, FrameType, PREFACE } from '../../frame/frame-type.ts';
import {
  ErrorCode,
  type FieldBlock,
  type Http2Session,
  type Http2SessionOwner,
  type Http2Stream,
  type Http2StreamOwner,
} from '../../http2-stream.ts';
import { createHttp2Session } from '../session.ts';
import type { Http2Limits, Http2Role } from '../session-options.ts';
import { createDecoder, type Fields, fieldsOf, literals } from './field-text.ts';
import { frame, type Frame, framesOf, settings, settingsAck } from './frames.ts';
import { MemoryStream } from './memory-stream.ts';

const TYPE_NAMES: readonly string[] = Object.keys(FrameType);
const CODE_NAMES: readonly string[] = Object.keys(ErrorCode);

export const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
];
export const POST: Fields = [[':method', 'POST'], ...GET.slice(1)];

export interface PeerOptions {
  readonly role?: Http2Role;
  readonly limits?: Partial<Http2Limits>;
  /** Consume data at once? Default true. */
  readonly consumes?: boolean;
}

export class WirePeer implements Http2SessionOwner {
  readonly session: Http2Session;
  readonly stream: MemoryStream;
  readonly runtime: ManualRuntime = createManualRuntime();
  /** What the session told its owners, in words. */
  readonly log: string[] = [];
  readonly streams = new Map<number, Http2Stream>();
  readonly #role: Http2Role;
  readonly #consumes: boolean;
  readonly #decoder = createDecoder();
  readonly #turnEnd: (() => void)[] = [];

  constructor(options: PeerOptions = {}) {
    const { role = 'server', limits = {}, consumes = true } = options;
    this.#role = role;
    this.#consumes = consumes;
    this.session = createHttp2Session(this, {
      role,
      runtime: this.runtime,
      sweeper: new Sweeper(this.runtime),
      turnEnd: (task) => this.#turnEnd.push(task),
      limits,
    });
    this.stream = new MemoryStream(this.session);
    this.session.attach(this.stream);
  }

  /** The other side's beginning, and what the session answered thrown away. */
  start(...pairs: (readonly [number, number])[]): this {
    const preface = this.#role === 'server' ? PREFACE : Buffer.alloc(0);
    this.send(preface, settings(...pairs), settingsAck);
    this.take();
    return this;
  }

  /** Sends bytes, and lets the turn end. */
  send(...parts: Buffer[]): this {
    const bytes = Buffer.concat(parts);
    this.session.onBytes(bytes, 0, bytes.length);
    return this.endTurn();
  }

  endTurn(): this {
    while (this.#turnEnd.length > 0) this.#turnEnd.shift()?.();
    return this;
  }

  /** Frames that the session has written. */
  take(): Frame[] {
    return framesOf(this.stream.take());
  }

  /** The same in words: `headers 1 end`, `rstStream 1 cancel`, `goaway protocolError`. */
  said(): string[] {
    return this.take().map((one) => this.#words(one));
  }

  #words({ type, flags, streamId, payload }: Frame): string {
    const name = TYPE_NAMES[type] ?? String(type);
    const end = (flags & Flag.endStream) !== 0 ? ' end' : '';
    switch (type) {
      case FrameType.headers: {
        if (!this.#decoder.decode(payload, 0, payload.length)) throw new Error('not a block');
        const fields = fieldsOf(this.#decoder.list).map(([field, value]) => `${field}=${value}`);
        return `${name} ${streamId} ${fields.join(' ')}${end}`;
      }
      case FrameType.data:
        return `${name} ${streamId} ${payload.length}${end}`;
      case FrameType.rstStream:
        return `${name} ${streamId} ${CODE_NAMES[payload.readUInt32BE(0)]}`;
      case FrameType.goaway:
        return `${name} ${payload.readUInt32BE(0)} ${CODE_NAMES[payload.readUInt32BE(4)]}`;
      case FrameType.windowUpdate:
        return `${name} ${streamId} ${payload.readUInt32BE(0)}`;
      case FrameType.ping:
      case FrameType.settings:
        return (flags & Flag.ack) === 0 ? name : `${name} ack`;
      default:
        return name;
    }
  }

  /** A stream of the session's own. */
  open(fields: Fields, isEnd = true): Http2Stream {
    const owner = this.#streamOwner(() => stream);
    const stream = this.session.open(owner);
    this.session.fields.begin();
    for (const [name, value] of fields) this.session.fields.text(name, value);
    stream.sendFields(isEnd);
    this.streams.set(stream.id, stream);
    this.endTurn();
    return stream;
  }

  /** Answers on a stream with a head, and a body of so many bytes. @returns may more be written? */
  answer(streamId: number, bodyBytes = 0, isEnd = true): boolean {
    const stream = this.streams.get(streamId) as Http2Stream;
    this.session.fields.begin().text(':status', '200');
    stream.sendFields(isEnd && bodyBytes === 0);
    const body = Buffer.alloc(bodyBytes, 'x');
    const more = bodyBytes === 0 || stream.sendData(body, 0, bodyBytes, isEnd);
    this.endTurn();
    return more;
  }

  onStream(stream: Http2Stream): Http2StreamOwner {
    this.streams.set(stream.id, stream);
    return this.#streamOwner(() => stream);
  }

  #streamOwner(streamOf: () => Http2Stream): Http2StreamOwner {
    const say = (what: string, isEnd = false): void => {
      this.log.push(`${streamOf().id} ${what}${isEnd ? ' end' : ''}`);
    };
    const text = (block: FieldBlock): string =>
      fieldsOf(block)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ');
    return {
      onFields: (block, isEnd) => say(text(block), isEnd),
      onData: (bytes, from, to, isEnd) => {
        say(`data ${bytes.toString('latin1', from, Math.min(to, from + 20))} ${to - from}`, isEnd);
        if (this.#consumes) streamOf().consume(to - from);
      },
      onTrailers: (block) => say(`trailers ${text(block)}`),
      onDrain: () => say('drain'),
      onClose: (code) => say(`closed ${CODE_NAMES[code]}`),
    };
  }

  onGoaway(lastStreamId: number, code: ErrorCode): void {
    this.log.push(`goaway ${lastStreamId} ${CODE_NAMES[code]}`);
  }

  onSettings(): void {
    // Said by what follows from them.
  }

  onIdleChange(isIdle: boolean): void {
    this.log.push(isIdle ? 'idle' : 'busy');
  }

  onClose(error: Error | undefined): void {
    this.log.push(`session closed${error === undefined ? '' : `: ${error.message}`}`);
  }

  /** What the session has said of a stream since the last call. */
  heard(): string[] {
    return this.log.splice(0).filter((line) => line !== 'idle' && line !== 'busy');
  }
}

/** HEADERS with a whole block. */
export function headers(streamId: number, fields: Fields, isEnd = true): Buffer {
  const flags = Flag.endHeaders | (isEnd ? Flag.endStream : 0);
  return frame(FrameType.headers, flags, streamId, literals(fields));
}

export function block(
  streamId: number,
  bytes: Uint8Array,
  flags: number = Flag.endHeaders | Flag.endStream,
): Buffer {
  return frame(FrameType.headers, flags, streamId, bytes);
}
