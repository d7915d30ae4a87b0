/** Whose trace goes on, and what clients are told of theirs. */
import { SpanKind } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import type { TracingOptions } from '../../index.ts';
import { openTelemetry } from './index.ts';
import {
  ask,
  end,
  kindOf,
  PARENT,
  SPAN,
  spans,
  start,
  told,
  TRACE,
  tracerProvider,
  world,
} from './test-support/traced-proxy.ts';

afterEach(end);

describe('the trace of a client', () => {
  it.each([
    ['trusted', [], false],
    ['trusted', ['127.0.0.1'], true],
    ['all', [], true],
    ['none', ['127.0.0.1'], false],
  ] as const)('with continue: %s and trusted peers %j goes on: %s', async (rule, peers, goesOn) => {
    await start({
      tracing: { spans: openTelemetry({ tracerProvider }), continue: rule },
      proxy: { trustedProxies: peers },
    });
    await ask(`${PARENT}tracestate: vendor=1\r\n`);
    const [server] = kindOf(await spans(2), SpanKind.SERVER);
    expect(server!.spanContext().traceId === TRACE).toBe(goesOn);
    expect(told()[1]).toBe(server!.spanContext().traceId);
    expect(world.heads[0]!.includes('vendor=1')).toBe(goesOn);
  });

  it.each([
    ['nobody', {}],
    ['no SDK', { spans: openTelemetry() }],
  ])('is passed on as it is where %s records', async (_, tracing) => {
    await start({ tracing: { ...tracing, continue: 'all' } });
    await ask(PARENT);
    expect(told()).toEqual(['00', TRACE, SPAN, '01']);
    await ask(PARENT.replace('-01\r', '-00\r'));
    expect(told(1)).toEqual(['00', TRACE, SPAN, '00']);
  });

  it('begins here where there is none, sampled as the options say', async () => {
    await start({ tracing: { sampleRatio: 0 } });
    await ask();
    await ask('traceparent: nonsense\r\n');
    for (const at of [0, 1])
      expect(told(at)).toEqual([
        '00',
        expect.stringMatching(/^[0-9a-f]{32}$/),
        expect.stringMatching(/^[0-9a-f]{16}$/),
        '02',
      ]);
    expect(told(0)[1]).not.toBe(told(1)[1]);
  });

  it('passes like any other header without tracing', async () => {
    await start({ proxy: { tracing: undefined } });
    await ask(`${PARENT}tracestate: vendor=1\r\n`);
    expect(told()).toEqual(['00', TRACE, SPAN, '01']);
    expect(world.heads[0]).toContain('tracestate: vendor=1');
  });

  it('stays what a filter writes', async () => {
    const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await start({ route: { filters: [{ headers: { request: { set: { traceparent: own } } } }] } });
    await ask();
    expect(told().join('-')).toBe(own);
    await spans(2);
  });

  it('is told to the client and the log where that is wanted', async () => {
    const lines: string[] = [];
    await start({
      tracing: { continue: 'all', responseHeader: 'X-Trace-Id' },
      answers: ['HTTP/1.1 200 OK\r\nx-trace-id: theirs\r\ncontent-length: 2\r\n\r\nok'],
      proxy: {
        accessLog: { format: '%{traceId} %{spanId}', write: (text) => lines.push(text) },
      },
    });
    const answer = await ask(PARENT);
    expect(answer.match(/x-trace-id.*/g)).toEqual([`x-trace-id: ${TRACE}`]);
    expect(await ask(PARENT, 'GET /here')).toContain(`x-trace-id: ${TRACE}`);
    await world.fixture.close();
    expect(lines.join('')).toBe(`${TRACE} ${SPAN}\n`.repeat(2));
  });
});

describe('server-timing', () => {
  it('tells how long it took here and at the endpoint, beside what that says', async () => {
    await start({
      tracing: {},
      answers: ['HTTP/1.1 200 OK\r\nserver-timing: db;dur=5\r\ncontent-length: 2\r\n\r\nok'],
      proxy: { serverTiming: true },
    });
    const answer = await ask();
    expect(answer).toContain('server-timing: db;dur=5\r\n');
    const times = /server-timing: proxy;dur=([\d.]+), upstream;dur=([\d.]+)\r\n/.exec(answer);
    for (const time of times!.slice(1)) expect(Number(time)).toBeLessThan(5_000);
    expect(Number(times![2])).toBeGreaterThan(0);
    expect(await ask('', 'GET /here')).toMatch(/server-timing: proxy;dur=[\d.]+\r\n/);
    expect(await ask('', 'GET /here')).not.toContain('upstream');
  });
});

describe('options of tracing', () => {
  it.each([
    [{ continue: 'some' }, 'createProxy.tracing.continue'],
    [{ spans: {} }, 'openTelemetry() of @evenkeel/proxy/tracing'],
    [{ sampleRatio: 2 }, 'createProxy.tracing.sampleRatio'],
    [{ responseHeader: 'a b' }, 'createProxy.tracing.responseHeader'],
    [{ responseHeader: 'Content-Length' }, 'a header that nothing else is in'],
  ])('%j are refused', async (tracing, message) => {
    await expect(start({ tracing: tracing as TracingOptions })).rejects.toThrow(message);
    await start();
  });
});
