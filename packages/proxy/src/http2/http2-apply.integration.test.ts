/** Another configuration while connections of HTTP/2 are open. */
import { once } from 'node:events';
import type http2 from 'node:http2';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../index.ts';
import { closeEndpoints, endpointOf } from './test-support/endpoint.ts';
import { Http2World } from './test-support/http2-world.ts';

let world: Http2World | undefined;

afterEach(async () => {
  await world?.close();
  world = undefined;
  closeEndpoints();
});

describe('a connection of HTTP/2, when the configuration changes', () => {
  it('stays, and its next requests meet the new routes', async () => {
    const held: http2.ServerHttp2Stream[] = [];
    const endpoint = await endpointOf((stream, headers) => {
      if (headers[':path'] === '/held') held.push(stream);
      else {
        stream.respond({ ':status': 200, 'x-via': headers['via'] ?? '' });
        stream.end(headers[':path']);
      }
    });
    const optionsOf = (prefix: string, via: string, isOn = true): ProxyOptions => ({
      clusters: [(world as Http2World).cluster],
      upstreams: { origin: { http2: true } },
      via,
      listeners: [
        {
          listen: '127.0.0.1:0',
          http: { http2: isOn, routes: [{ match: { path: { prefix } }, cluster: 'origin' }] },
        },
      ],
    });
    world = await Http2World.start({
      endpoints: [endpoint.port],
      proxy: { upstreams: { origin: { http2: true } } },
    });
    const { proxy, port } = world;
    const client = world.connect();
    expect((await client.get('/a')).headers['x-via']).toBe('2.0 evenkeel');
    const pending = client.get('/held');
    await world.until(() => held.length === 1);
    await proxy.apply(optionsOf('/b', 'other'));
    expect((await client.get('/a')).status).toBe(404);
    expect((await client.get('/b')).headers['x-via']).toBe('2.0 other');
    held[0]?.respond({ ':status': 200 });
    held[0]?.end('under way');
    expect((await pending).body.toString()).toBe('under way');
    // The endpoint is reached as before: its connection stays as well.
    expect(endpoint.sessionCount).toBe(1);
    // Off for those who connect from now on.
    await proxy.apply(optionsOf('/b', 'other', false));
    expect((await client.get('/b')).status).toBe(200);
    const socket = net.connect(port, '127.0.0.1');
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes.toString()).toContain('HTTP/1.1 505 ');
    socket.destroy();
    expect(world.counts.sessionCount).toBe(1);
  });
});
