/** A proxy whose spans are kept in memory, in front of origins that keep the heads that they get. */
import type { SpanKind } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect } from 'vitest';
import { ProxyFixture } from '../../../engine/test-support/proxy-fixture.ts';
import type { OriginConnection } from '../../../engine/test-support/scripted-origin.ts';
import type { ProxyOptions, RouteOptions, TracingOptions } from '../../../index.ts';
import { openTelemetry } from '../index.ts';

/** Of the test at hand; {@link end} closes and empties it. */
export const world: { fixture: ProxyFixture; heads: string[] } = {
  fixture: undefined as unknown as ProxyFixture,
  heads: [],
};

export async function end(): Promise<void> {
  await world.fixture.close();
  exporter.reset();
  world.heads = [];
}

export const TRACE: string = '0af7651916cd43dd8448eb211c80319c';
export const SPAN: string = 'b7ad6b7169203331';
export const PARENT: string = `traceparent: 00-${TRACE}-${SPAN}-01\r\n`;
export const OK: string = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
export const BROKEN: string = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n';

export const exporter: InMemorySpanExporter = new InMemorySpanExporter();
export const tracerProvider: BasicTracerProvider = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});

export interface StartOptions {
  readonly tracing?: TracingOptions;
  readonly route?: Partial<RouteOptions>;
  readonly proxy?: Partial<ProxyOptions>;
  readonly origins?: number;
  /** What origins answer, one after the other; the last one goes on. */
  readonly answers?: readonly string[];
}

export async function start({
  tracing = { spans: openTelemetry({ tracerProvider }), continue: 'all' },
  route = {},
  proxy = {},
  origins = 1,
  answers = [OK],
}: StartOptions = {}): Promise<void> {
  let turn = 0;
  const onData = (connection: OriginConnection): void => {
    for (;;) {
      const end = connection.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      world.heads.push(connection.received.slice(0, end));
      connection.received = connection.received.slice(end + 4);
      connection.write(answers[Math.min(turn++, answers.length - 1)]!);
    }
  };
  const routes: RouteOptions[] = [
    { name: 'all', cluster: 'origin', ...route },
    { name: 'here', match: { path: { exact: '/here' } }, respond: { status: 204 } },
  ];
  world.fixture = await ProxyFixture.start(onData, {
    origins,
    proxy: { listeners: [{ listen: '127.0.0.1:0', http: { routes } }], tracing, ...proxy },
  });
}

/** @returns the answer, head and all */
export async function ask(lines = '', start_ = 'GET /a?b=secret'): Promise<string> {
  const client = await world.fixture.connect();
  client.send(`${start_} HTTP/1.1\r\nhost: a.example:8080\r\nuser-agent: test\r\n${lines}\r\n`);
  await client.until(({ received }) => /\r\n\r\n(ok|\d{3} |$)/.test(received));
  return client.received;
}

export async function spans(count: number): Promise<readonly ReadableSpan[]> {
  await world.fixture.until(() => exporter.getFinishedSpans().length >= count);
  expect(exporter.getFinishedSpans()).toHaveLength(count);
  return exporter.getFinishedSpans();
}

export function kindOf(all: readonly ReadableSpan[], kind: SpanKind): ReadableSpan[] {
  return all.filter((span) => span.kind === kind);
}

/** The parts of `traceparent` as an origin got it. */
export function told(at = 0): string[] {
  return /traceparent: (.*)/.exec(world.heads[at]!)?.[1]?.split('-') ?? [];
}
