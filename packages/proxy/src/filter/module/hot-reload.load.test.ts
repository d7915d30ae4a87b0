/** A filter in TypeScript that changes under continuous load: no request fails, and none sees half of a change. */
import { once } from 'node:events';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** In a process of its own, where Node itself loads the modules: also those in TypeScript. */
const SERVER = join(import.meta.dirname, '..', 'test-support', 'module-server.ts');
const RELOADS = 40;
const CALLERS = 16;

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evenkeel-reload-'));
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    child.kill();
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true });
});

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(folder, `${name}.new`), text);
  await rename(join(folder, `${name}.new`), join(folder, name));
}

/** Both parts of the filter say which version they are of: `before` on the way in, `after` on the way back. */
const filter = (version: number): string => `
  import { tag } from './tag.ts';
  interface Request { headers: { set(name: string, value: string): void } }
  const version: number = ${version};
  export const createFilter = () => ({
    async onRequest(request: Request): Promise<undefined> {
      request.headers.set('x-before', String(version));
      await new Promise((resolve) => setTimeout(resolve, version % 5));
      return undefined;
    },
    onResponse(response: Request): void {
      response.headers.set('x-after', String(version));
      response.headers.set('x-tag', tag);
    },
  });`;

it(`${RELOADS} changes of a filter under load fail no request`, async () => {
  await write('tag.ts', `export const tag: string = 'tag-0';`);
  await write('tenant.ts', filter(0));
  child = spawn(process.execPath, ['--conditions=@evenkeel/source', SERVER, folder], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const ask = async (
    agent: Agent,
    path: string,
  ): Promise<{ incoming: IncomingMessage; body: string }> => {
    const outgoing = get({ port, host: '127.0.0.1', path, agent });
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    return { incoming, body };
  };

  let isOver = false;
  let requestCount = 0;
  const versions = new Set<string>();
  const faults: string[] = [];
  const call = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) {
      const path = `/${requestCount++}`;
      try {
        const { incoming, body } = await ask(agent, path);
        // The endpoint answers with the path, and with the version that it was told.
        const [at, before] = body.split(' ');
        const { 'x-after': after, 'x-tag': tag } = incoming.headers;
        const isWhole = incoming.statusCode === 200 && at === path && before === after;
        if (!isWhole) faults.push(`${incoming.statusCode} ${path} ${body} ${String(after)}`);
        versions.add(`${String(after)} ${String(tag)}`);
      } catch (error) {
        faults.push(String(error));
      }
    }
    agent.destroy();
  };
  const calls = Array.from({ length: CALLERS }, call);
  const plain = new Agent();
  const status = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await ask(plain, '/-/status')).body) as Record<string, unknown>;
  try {
    for (let version = 1; version <= RELOADS; version++) {
      // Now the module, now what it imports, now something that cannot be loaded.
      if (version % 3 === 0) await write('tag.ts', `export const tag: string = 'tag-${version}';`);
      if (version % 7 === 0) {
        const { failedReloadCount } = await status();
        await write('tenant.ts', 'export const createFilter = (');
        await expect
          .poll(async () => (await status())['failedReloadCount'], { timeout: 10_000 })
          .not.toBe(failedReloadCount);
      }
      await write('tenant.ts', filter(version));
      const seen = (): boolean => [...versions].some((one) => one.startsWith(`${version} `));
      await expect.poll(seen, { timeout: 10_000 }).toBe(true);
    }
    await expect.poll(async () => (await status())['instanceCount'], { timeout: 10_000 }).toBe(1);
  } finally {
    isOver = true;
    await Promise.all(calls);
  }
  expect(faults).toEqual([]);
  expect(requestCount).toBeGreaterThan(RELOADS * 10);
  expect([...versions].some((one) => one === `${RELOADS} tag-${RELOADS - (RELOADS % 3)}`)).toBe(
    true,
  );
  expect(await status()).toMatchObject({
    failedReloadCount: Math.floor(RELOADS / 7),
    timeoutCount: 0,
  });
});
