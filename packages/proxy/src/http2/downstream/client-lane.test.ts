import { describe, expect, it } from 'vitest';
import type { ClientConnection } from '../../engine/client-connection.ts';
import { ErrorCode } from '../http2-stream.ts';
import { blockOf, type Fields } from '../test-support/field-block.ts';
import { RecordingStream } from '../test-support/recording-stream.ts';
import { ClientLane, type LaneHost } from './client-lane.ts';

const REQUEST: Fields = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/'],
];

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** A lane with an engine that notes what it hears, and answers when it is told. */
class World {
  readonly stream = new RecordingStream();
  readonly heard: string[] = [];
  readonly idle: ClientLane[] = [];
  readonly gone: ClientLane[] = [];
  readonly lane: ClientLane;
  readonly #soon: (() => void)[] = [];
  readonly #later: (() => void)[] = [];

  constructor() {
    const host: LaneHost = {
      fields: this.stream,
      soon: (task) => void this.#soon.push(task),
      later: (task) => void this.#later.push(task),
      unbound: (isReset) => void this.heard.push(isReset ? 'reset' : 'done'),
      idle: (lane) => void this.idle.push(lane),
      gone: (lane) => void this.gone.push(lane),
    };
    const engine = {
      account: { reason: undefined, tries: 1 },
      onBytes: (bytes: Buffer, from: number, to: number) =>
        this.heard.push(bytes.toString('latin1', from, to)),
      onEnd: () => this.heard.push('end'),
      onDrain: () => this.heard.push('drain'),
      onClose: () => this.heard.push('closed'),
    };
    this.lane = new ClientLane(host, engine as unknown as ClientConnection);
    this.lane.bind(this.stream);
    this.stream.owner = this.lane;
  }

  /** What was put off happens. */
  settle(): this {
    for (const task of this.#soon.splice(0)) task();
    for (const task of this.#later.splice(0)) task();
    return this;
  }

  data(text: string, isEnd = false): void {
    this.lane.onData(Buffer.from(text), 0, text.length, isEnd);
  }
}

describe('a lane between a stream and the engine', () => {
  it('hands over a head with what came with it, in one piece', () => {
    const world = new World();
    world.lane.onFields(blockOf(REQUEST), false);
    world.data('ab');
    world.data('c', true);
    expect(world.heard).toEqual([
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    ]);
    expect(world.stream.consumed).toBe(3);
  });

  it('hands over a head without waiting for what does not come', () => {
    const world = new World();
    world.lane.onFields(blockOf(REQUEST), false);
    expect(world.heard).toEqual([]);
    world.settle();
    world.data('x');
    expect(world.heard).toEqual([
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n',
      '1\r\nx\r\n',
    ]);
  });

  it('takes another stream when both sides of one are over, in either order', () => {
    const world = new World();
    world.lane.onFields(blockOf(REQUEST), true);
    world.lane.write(Buffer.from(OK));
    expect(world.idle).toEqual([]);
    world.lane.onClose(ErrorCode.noError);
    expect(world.idle).toEqual([world.lane]);
    expect(world.stream.isHeld).toBe(false);
    expect(world.heard.at(-1)).toBe('done');
  });

  it('gives window back only for what the engine takes', () => {
    const world = new World();
    world.lane.onFields(blockOf(REQUEST), false);
    world.settle();
    world.lane.pause();
    world.data('abcde');
    expect(world.stream.consumed).toBe(0);
    world.lane.resume();
    expect(world.stream.consumed).toBe(5);
  });

  it.each([
    ['more than was announced', ['abcdef']],
    ['more than was announced, in parts', ['abc', 'def']],
  ])('breaks off a request with %s: it would be another one', (_, parts) => {
    const world = new World();
    world.lane.onFields(blockOf([...REQUEST, ['content-length', '5']]), false);
    world.settle();
    for (const part of parts) world.data(part);
    expect(world.stream.sent).toEqual([`RESET ${ErrorCode.protocolError}`]);
    expect(world.heard.join()).not.toContain('f');
    world.settle();
    expect(world.heard.at(-1)).toBe('closed');
    expect(world.gone).toEqual([world.lane]);
  });

  it('breaks off a request with less than was announced', () => {
    const world = new World();
    world.lane.onFields(blockOf([...REQUEST, ['content-length', '5']]), false);
    world.settle();
    world.data('abc', true);
    expect(world.stream.sent).toEqual([`RESET ${ErrorCode.protocolError}`]);
  });

  it('is over for the engine when the client breaks off, and holds its place until then', () => {
    const world = new World();
    world.lane.onFields(blockOf(REQUEST), true);
    world.lane.onClose(ErrorCode.cancel);
    expect(world.heard.slice(-2)).toEqual(['reset', 'closed']);
    expect(world.stream.isHeld).toBe(true);
    world.settle();
    expect(world.stream.isHeld).toBe(false);
    expect(world.idle).toEqual([]);
  });

  it('turns down the rest of a request whose answer is out', () => {
    const world = new World();
    world.lane.onFields(blockOf(REQUEST), false);
    world.settle();
    world.lane.write(Buffer.from(OK));
    world.lane.end();
    expect(world.stream.sent.at(-1)).toBe('[ok] END');
    world.lane.onEndSent();
    expect(world.stream.sent.at(-1)).toBe(`RESET ${ErrorCode.noError}`);
  });

  it('never tells the engine of its end within a call of the engine', () => {
    const world = new World();
    world.lane.onFields(blockOf(REQUEST), true);
    world.lane.destroy();
    expect(world.heard).not.toContain('closed');
    world.settle();
    expect(world.heard.filter((word) => word === 'closed')).toHaveLength(1);
    world.lane.destroy();
    world.settle();
    expect(world.heard.filter((word) => word === 'closed')).toHaveLength(1);
  });

  it('ends a call of gRPC that breaks off with a status', () => {
    const world = new World();
    world.lane.onFields(blockOf([...REQUEST, ['content-type', 'application/grpc']]), true);
    world.lane.write(
      Buffer.from(
        'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n',
      ),
    );
    world.lane.reset();
    expect(world.stream.sent.at(-1)).toMatch(/^grpc-status: 14; .* END$/);
  });
});
