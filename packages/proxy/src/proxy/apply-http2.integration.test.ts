/** Other options for connections of HTTP/2, which carry many requests at a time. */
import { once } from 'node:events';
import http2 from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../tcp/test-support/tcp-fixture.ts';
import { Applying, http } from './test-support/applying.ts';
import { namedOrigin } from './test-support/origins.ts';

const test = new Applying();
const sessions: http2.ClientHttp2Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await test.close();
});

async function connect(port: number): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  sessions.push(session);
  session.on('error', () => undefined);
  await once(session, 'connect');
  return session;
}

async function ask(session: http2.ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ':path': path });
  let body = '';
  for await (const chunk of stream) body += String(chunk);
  return body;
}

describe('a session of HTTP/2', () => {
  it('stays, while its next streams meet other routes and those that are open do not', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await test.start([a, b]);
    const session = await connect(test.portOf());
    expect(await ask(session, '/1')).toBe('a/1');
    a.hold();
    const open = ask(session, '/2');
    await until(() => a.origin.connections.some(({ received }) => received.includes('/2')));
    const { drained } = await test.proxy.apply({ ...options, listeners: [http('b')] });
    expect(await ask(session, '/3')).toBe('b/3');
    a.release();
    expect(await open).toBe('a/2');
    await drained;
    expect(test.connectionsTo('a')).toBe(0);
    expect(session.closed).toBe(false);
    expect(test.proxy.stats.counters.acceptedCount).toBe(1);
  });

  it('is told to go when its listener is gone, and finishes what is open', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a], { listeners: [http('a'), http('a')] });
    const session = await connect(test.portOf(1));
    expect(await ask(session, '/1')).toBe('a/1');
    a.hold();
    const open = ask(session, '/2');
    await until(() => a.origin.connections.some(({ received }) => received.includes('/2')));
    const goaway = once(session, 'goaway');
    const { drained } = await test.proxy.apply({ ...options, listeners: [http('a')] });
    expect((await goaway)[0]).toBe(http2.constants.NGHTTP2_NO_ERROR);
    a.release();
    expect(await open).toBe('a/2');
    await drained;
    expect(test.proxy.stats.clientCount).toBe(0);
  });
});
