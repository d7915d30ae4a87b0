/** HAProxy and nginx with one thread, configured from the ports of the origins. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Peer {
  readonly process: ChildProcess;
  readonly port: number;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const directory = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));

export interface HaproxyOptions {
  readonly path: string;
  readonly origins: readonly number[];
  /** With twenty routes, a request id, redispatched retries and health observed from traffic. */
  readonly full: boolean;
  /** Clients speak HTTP/2 in clear text. */
  readonly speaksHttp2?: boolean;
  /** A file with certificate and key, for TLS. */
  readonly certificate?: string;
  readonly maxConnections?: number;
}

export async function startHaproxy(options: HaproxyOptions): Promise<Peer> {
  const { path, origins, full, speaksHttp2 = false, certificate, maxConnections = 4_000 } = options;
  const port = await freePort();
  const servers = origins.map(
    (origin, index) =>
      `  server s${index} 127.0.0.1:${origin}${full ? ' check inter 5s observe layer7 error-limit 10 on-error mark-down' : ''}`,
  );
  const rules = Array.from(
    { length: 20 },
    (_, index) => `  use_backend origin if { path_beg /route-${index}/ }`,
  );
  const extras = full
    ? ['  unique-id-format %{+X}o%ci%cp%Ts%rt', '  unique-id-header x-request-id', ...rules]
    : [];
  const config = [
    'global',
    '  nbthread 1',
    `  maxconn ${maxConnections}`,
    // Else it asks for two descriptors per connection, which few machines grant.
    '  no strict-limits',
    'defaults',
    '  mode http',
    '  timeout connect 3s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  http-reuse always',
    '  option forwardfor',
    ...(full ? ['  retries 2', '  option redispatch', '  retry-on all-retryable-errors'] : []),
    'frontend front',
    `  bind 127.0.0.1:${port}${speaksHttp2 ? ' proto h2' : ''}${certificate === undefined ? '' : ` ssl crt ${certificate}`}`,
    ...extras,
    '  default_backend origin',
    'backend origin',
    '  balance random(2)',
    ...servers,
  ].join('\n');
  const file = join(directory, `haproxy-${port}.cfg`);
  writeFileSync(file, `${config}\n`);
  const child = spawn(path, ['-f', file, '-db'], { stdio: ['ignore', 'ignore', 'inherit'] });
  await listening(port, child);
  return { process: child, port };
}

export async function startNginx(path: string, origins: readonly number[]): Promise<Peer> {
  const port = await freePort();
  const config = `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr error;
master_process off;
events { worker_connections 10000; }
http {
  access_log off; client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  keepalive_requests 100000000;
  upstream origin { ${origins.map((origin) => `server 127.0.0.1:${origin};`).join(' ')} keepalive 256; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port}; location / {
    proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } }
}`;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, config);
  const child = spawn(path, ['-c', file, '-p', directory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await listening(port, child);
  return { process: child, port };
}

/** Waits until the port takes connections. */
export async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`a peer ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no peer listens on port ${port}`);
}
