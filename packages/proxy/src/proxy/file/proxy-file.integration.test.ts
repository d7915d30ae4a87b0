/** A file that is changed while the proxy serves, on the real file system. */
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../engine/test-support/raw-client.ts';
import { scriptedOrigin, type ScriptedOrigin } from '../../engine/test-support/scripted-origin.ts';
import {
  type ApplyReport,
  openProxyFile,
  type ProxyFile,
  type ProxyFileOptions,
} from '../../index.ts';
import { openssl, TestAuthority } from '../../tls/test-support/authority.ts';
import { until } from '../../tcp/test-support/tcp-fixture.ts';

let folder: string;
let path: string;
let file: ProxyFile | undefined;
let client: RawClient | undefined;
const reports: ApplyReport[] = [];
const refusals: string[] = [];
const origins: ScriptedOrigin[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evenkeel-proxy-file-'));
  path = join(folder, 'proxy.yaml');
  reports.length = 0;
  refusals.length = 0;
});

afterEach(async () => {
  client?.destroy();
  client = undefined;
  await file?.close({ drainTimeoutMs: 0 });
  file = undefined;
  for (const origin of origins.splice(0)) await origin.close();
  await rm(folder, { recursive: true, force: true });
});

/** A server that says its name. */
async function origin(name: string): Promise<number> {
  const made = await scriptedOrigin((connection) => {
    while (connection.received.includes('\r\n\r\n')) {
      connection.received = connection.received.slice(connection.received.indexOf('\r\n\r\n') + 4);
      connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${name.length}\r\n\r\n${name}`);
    }
  });
  origins.push(made);
  return made.port;
}

interface Described {
  readonly clusters: Readonly<Record<string, number>>;
  readonly to: string;
  readonly more?: string;
}

const describeFile = ({ clusters, to, more = '' }: Described): string => `
clusters:
${Object.entries(clusters)
  .map(([name, port]) => `  ${name}: { discovery: ['127.0.0.1:${port}'] }`)
  .join('\n')}
listeners:
  - listen: 127.0.0.1:0
    http:
      routes:
        - cluster: ${to}
${more}`;

async function open(text: string, options: Partial<ProxyFileOptions> = {}): Promise<ProxyFile> {
  await writeFile(path, text);
  file = await openProxyFile({
    path,
    // What arrives came through a watch.
    pollIntervalMs: 3_600_000,
    onApplied: (report) => reports.push(report),
    onRefused: ({ message }) => refusals.push(message),
    ...options,
  });
  return file;
}

async function replace(text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

const applied = (count: number): Promise<void> => until(() => reports.length === count);

/** Over one connection for all requests. */
async function ask(): Promise<string> {
  client ??= await new RawClient(file!.proxy.addresses[0]!.port).connected();
  client.received = '';
  client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await client.until(({ received }) => /\r\n\r\n./.test(received), 'an answer');
  return client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
}

describe('a proxy from a file', () => {
  it('serves what the file says, and whatever it says next, over the same connection', async () => {
    const clusters = { a: await origin('A'), b: await origin('B') };
    const opened = await open(describeFile({ clusters, to: 'a' }));
    expect(opened.status).toMatchObject({ path, generation: 1, lastError: undefined });
    expect(opened.clusters.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await ask()).toBe('A');
    const before = opened.clusters;
    await replace(describeFile({ clusters, to: 'b' }));
    await applied(2);
    expect(await ask()).toBe('B');
    expect(opened.clusters).toEqual(before);
    expect(opened.status.generation).toBe(2);
    expect(reports[1]).toMatchObject({
      generation: 2,
      clusters: { kept: ['a', 'b'], changed: [] },
      routes: { changed: ['http 127.0.0.1:0 /*'] },
    });
    await writeFile(path, describeFile({ clusters, to: 'a' }));
    await applied(3);
    expect(await ask()).toBe('A');
    expect(refusals).toEqual([]);
  });

  it('keeps clusters whose part stays as it is, and replaces and closes the others', async () => {
    const [one, two, three] = [await origin('1'), await origin('2'), await origin('3')];
    const opened = await open(describeFile({ clusters: { a: one, b: two }, to: 'b' }));
    const [a, b] = opened.clusters;
    expect(await ask()).toBe('2');
    await replace(describeFile({ clusters: { a: one, b: three }, to: 'b' }));
    await applied(2);
    expect(await ask()).toBe('3');
    expect(opened.clusters[0]).toBe(a);
    expect(opened.clusters[1]).not.toBe(b);
    expect(reports[1]?.clusters).toMatchObject({ kept: ['a'], changed: ['b'] });
    await until(() => b?.snapshot().closed === true);
    await replace(describeFile({ clusters: { b: three }, to: 'b' }));
    await until(() => a?.snapshot().closed === true);
    expect(await ask()).toBe('3');
  });

  it('sees the swaps of a mounted ConfigMap', async () => {
    const clusters = { a: await origin('A'), b: await origin('B') };
    const mount = async (version: number, to: string): Promise<void> => {
      await mkdir(join(folder, `..v${version}`));
      await writeFile(join(folder, `..v${version}/proxy.yaml`), describeFile({ clusters, to }));
      await symlink(`..v${version}`, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await mount(1, 'a');
    await symlink('..data/proxy.yaml', path);
    file = await openProxyFile({
      path,
      pollIntervalMs: 3_600_000,
      onApplied: (report) => reports.push(report),
    });
    expect(await ask()).toBe('A');
    await mount(2, 'b');
    await applied(2);
    expect(await ask()).toBe('B');
  });

  it.each<[string, (good: string) => string, RegExp]>([
    ['no YAML', () => 'a: [', /:1:5: expected YAML, got /],
    ['a wrong option', (good) => `${good}via: 'a b'\n`, /:10:6 via: expected /],
    ['a missing variable', (good) => `${good}via: \${NOBODY_HAS_THIS}\n`, /:10:6 via: .*NOBODY/],
    [
      'a certificate that is not there',
      (good) => `${good}upstreams:\n  a:\n    tls: { caFile: /no/such/file }\n`,
      /:12:\d+ upstreams\.a\.tls\.ca: expected .*ENOENT|:12:\d+ upstreams\.a\.tls\.caFile/,
    ],
    [
      'an address of another machine',
      (good) => good.replace('127.0.0.1:0', '192.0.2.1:80'),
      /:6:13 listeners\[0\]\.listen: expected an address that can be listened on, got /,
    ],
  ])(
    'goes on with the file before when the new one has %s, and says why',
    async (_, wrong, message) => {
      const clusters = { a: await origin('A'), b: await origin('B') };
      const good = describeFile({ clusters, to: 'a' });
      const opened = await open(good);
      expect(await ask()).toBe('A');
      await replace(wrong(good));
      await until(() => refusals.length === 1);
      expect(refusals[0]).toMatch(message);
      expect(refusals[0]?.startsWith(`${path}:`)).toBe(true);
      expect(opened.status).toMatchObject({
        generation: 1,
        lastError: { code: 'EVENKEEL_CONFIG' },
      });
      expect(await ask()).toBe('A');
      await replace(describeFile({ clusters, to: 'b' }));
      await applied(2);
      expect(await ask()).toBe('B');
      expect(opened.status.lastError).toBeUndefined();
      expect(refusals).toHaveLength(1);
    },
  );

  it('closes the clusters of a file that is refused', async () => {
    const clusters = { a: await origin('A') };
    const opened = await open(describeFile({ clusters, to: 'a' }));
    const more = `  - listen: 192.0.2.1:80\n    http: { routes: [] }\n`;
    const both = { ...clusters, b: await origin('B') };
    await replace(describeFile({ clusters: both, to: 'b', more }));
    await until(() => refusals.length === 1);
    expect(opened.clusters.map(({ name }) => name)).toEqual(['a']);
    expect(await ask()).toBe('A');
  });

  it('says once that the file is gone, and takes it again when it is back', async () => {
    const clusters = { a: await origin('A'), b: await origin('B') };
    const opened = await open(describeFile({ clusters, to: 'a' }));
    await unlink(path);
    await until(() => refusals.length === 1);
    expect(refusals[0]).toBe(
      `${path}: expected a file that can be read, got does not exist; waiting for it`,
    );
    expect(await ask()).toBe('A');
    await writeFile(path, describeFile({ clusters, to: 'a' }));
    await applied(2);
    expect(opened.status.lastError).toBeUndefined();
    expect(refusals).toHaveLength(1);
  });

  it('fills in variables of the environment', async () => {
    const port = await origin('A');
    const text = describeFile({ clusters: { a: 0 }, to: '${TO:-a}' });
    await open(text.replace(":0']", ":${PORT}']"), { environment: { PORT: String(port) } });
    expect(await ask()).toBe('A');
  });

  it.skipIf(openssl === undefined)(
    'takes over certificates that are renewed while the file stays',
    async () => {
      const authority = await TestAuthority.create();
      const certFile = join(folder, 'cert.pem');
      const keyFile = join(folder, 'key.pem');
      const put = async (name: string): Promise<string> => {
        const { pem } = await authority.issue({ names: [name] });
        await writeFile(keyFile, pem.key);
        await writeFile(certFile, pem.cert);
        return new X509Certificate(pem.cert).fingerprint256;
      };
      const first = await put('a.example');
      const text = describeFile({ clusters: { a: await origin('A') }, to: 'a' });
      const tls = `    tls: { certificates: [{ certFile: ${certFile}, keyFile: ${keyFile} }] }\n`;
      const opened = await open(`${text}${tls}`);
      const shown = (): string | undefined => opened.proxy.certificates[0]?.fingerprint;
      expect(shown()).toBe(first);
      const second = await put('a.example');
      await until(() => shown() === second);
      await until(() => opened.status.lastError === undefined);
      await writeFile(certFile, 'nothing');
      await until(() => opened.status.lastError?.message.includes('certFile') === true);
      expect(shown()).toBe(second);
      const third = await put('a.example');
      await until(() => shown() === third && opened.status.lastError === undefined);
      expect(opened.status.generation).toBe(1);
      await authority.dispose();
    },
  );

  it('may be JSON', async () => {
    const port = await origin('A');
    path = join(folder, 'proxy.json');
    await open(
      JSON.stringify({
        clusters: { a: { discovery: [`127.0.0.1:${port}`] } },
        listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'a' }] } }],
        timeouts: { head: '5s' },
      }),
    );
    expect(await ask()).toBe('A');
    await replace('{');
    await until(() => refusals.length === 1);
    expect(refusals[0]).toMatch(/proxy\.json:1:2: expected JSON, got /);
  });

  it('is read anew when it is told to, whether it has changed or not', async () => {
    const clusters = { a: await origin('A') };
    const opened = await open(describeFile({ clusters, to: 'a' }), { watch: false });
    expect((await opened.reload()).generation).toBe(2);
    await replace('clusters: 7');
    await expect(opened.reload()).rejects.toThrow(`${path}:1:11 clusters: expected clusters by`);
    expect(opened.status.generation).toBe(2);
    await unlink(path);
    await expect(opened.reload()).rejects.toThrow('a file that can be read, got does not exist');
    expect(await ask()).toBe('A');
  });

  it('waits for the endpoints of new clusters, but not for ever', async () => {
    const endpoints = join(folder, 'endpoints.yaml');
    const port = await origin('A');
    const text = `
clusters: { a: { discovery: { file: { path: ${endpoints}, pollInterval: 100ms } } } }
listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: a }] } }]
`;
    const opening = open(text, { readyTimeoutMs: 30_000 });
    await writeFile(endpoints, `- 127.0.0.1:${port}\n`);
    await opening;
    expect(await ask()).toBe('A');
    client?.destroy();
    client = undefined;
    await file?.close();
    await unlink(endpoints);
    await open(text, { readyTimeoutMs: 20 });
    expect(file?.clusters[0]?.pickFailure()).toBe('not-ready');
  });

  it.each<[string, string, RegExp]>([
    ['is not there', '', /: expected a file that can be read, got does not exist/],
    ['is wrong', 'listeners: []', /:1:1 clusters: expected clusters by their names, got nothing/],
    ['is too large', '#'.repeat(2_000), /larger than maxBytes/],
  ])('does not start when the file %s', async (_, text, message) => {
    if (text !== '') await writeFile(path, text);
    await expect(openProxyFile({ path, maxBytes: 1_024 })).rejects.toThrow(message);
  });

  it('leaves nothing open when a port is taken', async () => {
    const foreign = net.createServer().listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    const { port } = foreign.address() as AddressInfo;
    const text = describeFile({ clusters: { a: await origin('A') }, to: 'a' });
    await expect(open(text.replace(':0\n', `:${port}\n`))).rejects.toThrow('EADDRINUSE');
    foreign.close();
  });

  it('follows the file no more after it was closed', async () => {
    const clusters = { a: await origin('A'), b: await origin('B') };
    const opened = await open(describeFile({ clusters, to: 'a' }));
    const [a] = opened.clusters;
    await opened.close();
    await opened.close();
    expect(a?.snapshot().closed).toBe(true);
    await replace(describeFile({ clusters, to: 'b' }));
    await expect(opened.reload()).rejects.toMatchObject({ code: 'EVENKEEL_CLOSED' });
    expect(reports).toHaveLength(1);
    expect(refusals).toEqual([]);
  });
});
