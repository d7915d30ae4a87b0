/** Protocol switches: what counts as in flight, and for how long. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket as UndiciWebSocket } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { type Fleet, Opened } from './fleet.ts';
import { status, type TestServer } from './test-server.ts';
import { until } from './until.ts';

/** Accepts WebSockets and sends back every short text message (RFC 6455 sections 4.2.2 and 5.2). */
function echoWebSockets(server: TestServer | undefined): void {
  server?.server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1')
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    socket.on('error', () => undefined);
    socket.on('data', (frame: Buffer) => {
      const opcode = (frame[0] as number) & 0x0f;
      if (opcode === 8) {
        socket.end(Buffer.from([0x88, 0]));
        return;
      }
      const length = (frame[1] as number) & 0x7f;
      const mask = frame.subarray(2, 6);
      const payload = frame
        .subarray(6, 6 + length)
        .map((byte, index) => byte ^ (mask[index % 4] as number));
      socket.write(Buffer.concat([Buffer.from([0x81, length]), payload]));
    });
  });
}

export function upgradesSuite(name: string): void {
  describe(`upgrades on ${name}`, () => {
    const opened = new Opened();
    afterEach(() => opened.closeAll());

    it.each([
      ["undici's WebSocket", UndiciWebSocket as unknown as typeof WebSocket],
      ["Node's own WebSocket", WebSocket],
    ])('carries %s', async (_whose, Implementation) => {
      const fleet = await opened.fleet();
      echoWebSockets(fleet.servers[0]);
      const socket = new Implementation('ws://users/chat', {
        dispatcher: fleet.dispatcher,
      } as never);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error('no connection'));
      });
      // The conversation counts as a request in flight; undici itself has let go of it.
      expect(fleet.active()).toBe(1);
      expect(fleet.dispatcher.stats.runningCount).toBe(0);
      const answer = new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(data);
      });
      socket.send('hello');
      expect(await answer).toBe('hello');
      socket.close();
      await until(() => fleet.active() === 0, 'the connection ends');
      expect(fleet.outcomes(0)).toEqual({ success: 1 });
    });

    const upgradeOf = (fleet: Fleet) =>
      fleet.dispatcher.upgrade({
        origin: 'http://users',
        path: '/',
        protocol: 'websocket',
      } as never);

    it('hands the socket over, and does not break it off when it is closed itself', async () => {
      const fleet = await opened.fleet();
      echoWebSockets(fleet.servers[0]);
      const { socket, headers } = await upgradeOf(fleet);
      expect(headers['upgrade']).toBe('websocket');
      await fleet.dispatcher.close();
      expect(fleet.active()).toBe(1);
      socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      const [frame] = (await once(socket, 'data')) as [Buffer];
      expect(frame.subarray(2).toString()).toBe('hi');
      socket.destroy();
      await until(() => fleet.active() === 0, 'the connection ends');
    });

    it('measures the handshake, not the conversation', async () => {
      const fleet = await opened.fleet();
      echoWebSockets(fleet.servers[0]);
      const { socket } = await upgradeOf(fleet);
      const before = fleet.cluster.snapshot().latency;
      expect(before.count).toBe(1);
      await new Promise((resolve) => {
        setTimeout(resolve, 30);
      });
      socket.destroy();
      await until(() => fleet.active() === 0, 'the connection ends');
      expect(fleet.cluster.snapshot().latency).toEqual(before);
    });

    it('reports an endpoint that does not upgrade', async () => {
      const fleet = await opened.fleet();
      fleet.servers[0]?.handle(status(200));
      await expect(upgradeOf(fleet)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
      await until(() => fleet.active() === 0, 'the request ends');
      expect(fleet.dispatcher.stats.runningCount).toBe(0);
    });

    it('tunnels with CONNECT until the socket closes', async () => {
      const fleet = await opened.fleet();
      fleet.servers[0]?.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
        socket.write('HTTP/1.1 200 Connected\r\n\r\n');
        socket.on('data', (chunk: Buffer) => socket.write(chunk));
        socket.on('error', () => undefined);
      });
      const { statusCode, socket } = await fleet.dispatcher.connect({
        origin: 'http://users',
        path: 'example.org:443',
      });
      expect(statusCode).toBe(200);
      expect(fleet.active()).toBe(1);
      socket.write('ping');
      expect(String((await once(socket, 'data'))[0])).toBe('ping');
      socket.destroy();
      await until(() => fleet.active() === 0, 'the tunnel ends');
      expect(fleet.outcomes(0)).toEqual({ success: 1 });
    });

    it('counts a refused CONNECT by its status, and no longer than the answer', async () => {
      const fleet = await opened.fleet();
      fleet.servers[0]?.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
        socket.write('HTTP/1.1 502 Bad Gateway\r\n\r\n');
        socket.on('error', () => undefined);
      });
      const { statusCode, socket } = await fleet.dispatcher.connect({
        origin: 'http://users',
        path: 'example.org:443',
      });
      expect(statusCode).toBe(502);
      expect(fleet.active()).toBe(0);
      expect(fleet.outcomes(0)).toEqual({ gatewayError: 1 });
      socket.destroy();
    });

    it('gives an upgrade up at its deadline, but not a conversation', async () => {
      const fleet = await opened.fleet({ dispatcher: { deadlineMs: 400 } });
      fleet.servers[0]?.server.on('upgrade', () => undefined);
      await expect(upgradeOf(fleet)).rejects.toMatchObject({ code: 'EVENKEEL_DEADLINE' });
      fleet.servers[0]?.server.removeAllListeners('upgrade');
      echoWebSockets(fleet.servers[0]);
      const { socket } = await upgradeOf(fleet);
      await new Promise((resolve) => {
        setTimeout(resolve, 600);
      });
      expect(socket.destroyed).toBe(false);
      socket.destroy();
    });
  });
}
