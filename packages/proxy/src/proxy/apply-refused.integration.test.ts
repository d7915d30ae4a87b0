/** Other options that are refused, or asked for at one time, over real sockets. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../index.ts';
import { Applying, freePort, get, http, isRefused } from './test-support/applying.ts';
import { namedOrigin } from './test-support/origins.ts';

const test = new Applying();
afterEach(() => test.close());

describe('a change that is refused', () => {
  it.each<[string, (options: ProxyOptions) => unknown, string]>([
    ['a wrong option', (options) => ({ ...options, via: 'a b' }), 'apply.via'],
    [
      'an unknown cluster',
      (options) => ({ ...options, listeners: [http('nobody')] }),
      'apply.listeners[0].http.routes[0].cluster',
    ],
    [
      'a certificate that is not there',
      (options) => ({
        ...options,
        listeners: [
          http('a'),
          { ...http('a'), tls: { certificates: [{ certFile: '/no/c', keyFile: '/no/k' }] } },
        ],
      }),
      'apply.listeners[1].tls.certificates[0].certFile',
    ],
    [
      'one address twice',
      (options) => ({ ...options, listeners: [http('a', 'a:1'), http('a', 'a:1')] }),
      'apply.listeners[1].listen',
    ],
    [
      'an address of another machine',
      (options) => ({ ...options, listeners: [http('a'), http('a', '192.0.2.1:80')] }),
      'apply.listeners[1].listen',
    ],
  ])('because of %s changes nothing', async (_, optionsOf, path) => {
    const a = await namedOrigin('a');
    const options = await test.start([a]);
    const client = await test.connect();
    await client.send(get('/1')).untilText('a/1');
    const refused = test.proxy.apply(optionsOf(options) as ProxyOptions);
    await expect(refused).rejects.toMatchObject({
      code: 'EVENKEEL_CONFIG',
      issues: expect.arrayContaining([expect.objectContaining({ path })]),
    });
    await client.send(get('/2')).untilText('a/2');
    expect(await test.answerAt(test.portOf(), '/3')).toContain('a/3');
    expect((await test.proxy.apply(options)).generation).toBe(2);
  });

  it('because of one port opens none of the others', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a]);
    const foreign = net.createServer().listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    const taken = (foreign.address() as AddressInfo).port;
    const free = await freePort();
    const listeners = [http('a'), http('a', `127.0.0.1:${free}`), http('a', `127.0.0.1:${taken}`)];
    await expect(test.proxy.apply({ ...options, listeners })).rejects.toThrow(
      'listeners[2].listen',
    );
    expect(await isRefused(free)).toBe(true);
    foreign.close();
    await once(foreign, 'close');
    await test.proxy.apply({ ...options, listeners });
    expect(await test.answerAt(free)).toContain('a/');
  });

  it('says what its options are called where they come from', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a]);
    const refused = test.proxy.apply({ ...options, requestId: 7 as never }, { path: '' });
    await expect(refused).rejects.toThrow(/^requestId: expected/);
  });
});

describe('changes at a time', () => {
  it('are made one after the other, and the last one stays', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await test.start([a, b]);
    const names = ['b', 'a', 'b', 'a', 'b'];
    const reports = await Promise.all(
      names.map((name) => test.proxy.apply({ ...options, listeners: [http(name)] })),
    );
    expect(reports.map(({ generation }) => generation)).toEqual([2, 3, 4, 5, 6]);
    expect(await test.answerAt(test.portOf())).toContain('b/');
  });

  it('go on after one that was refused', async () => {
    const [a, b] = [await namedOrigin('a'), await namedOrigin('b')];
    const options = await test.start([a, b]);
    const refused = test.proxy.apply({ ...options, listeners: [] });
    const applied = test.proxy.apply({ ...options, listeners: [http('b')] });
    await expect(refused).rejects.toThrow('apply.listeners: expected at least one listener');
    await applied;
    expect(await test.answerAt(test.portOf())).toContain('b/');
  });

  it('are refused while the proxy closes, and leave no port open', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a]);
    const free = await freePort();
    const listeners = [http('a'), http('a', `127.0.0.1:${free}`)];
    const before = test.proxy.apply({ ...options, listeners });
    const closing = test.proxy.close();
    const after = test.proxy.apply(options);
    await expect(before).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED' });
    await expect(after).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED' });
    await closing;
    expect(await isRefused(free)).toBe(true);
  });
});
