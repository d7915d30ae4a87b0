/** Modules that are written, loaded, changed and broken, on a real disk. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRuntime } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Filter, FilterAnswer } from '../filter.ts';
import { fakeRequest, type FakeRequest } from '../test-support/fake-request.ts';
import { fakeResponse } from '../test-support/fake-response.ts';
import { makeFilter } from '../test-support/make-filter.ts';
import type { ModuleOptions } from './schema.ts';

let root: string;
/** The test runner leaves modules below `node_modules` to Node, which is who has to load them. */
let folder: string;
const open: Filter[] = [];
const lines: { fields: Record<string, unknown>; message: string }[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'evenkeel-filter-'));
  folder = join(root, 'node_modules');
  await mkdir(folder);
});
afterEach(async () => {
  for (const filter of open.splice(0)) await filter.close?.();
  lines.splice(0);
  await rm(root, { recursive: true });
});

/** As editors do: a new file takes the place of the old one. */
async function write(name: string, text: string): Promise<void> {
  await writeFile(join(folder, `${name}.new`), text);
  await rename(join(folder, `${name}.new`), join(folder, name));
}

async function load(options: Partial<ModuleOptions> = {}): Promise<Filter> {
  const keep = (fields: object, message: string): void =>
    void lines.push({ fields: fields as Record<string, unknown>, message });
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  const filter = await makeFilter(
    { module: { path: 'a.mjs', ...options } },
    { runtime: createRuntime({ logger }), baseDirectory: folder },
  );
  open.push(filter);
  return filter;
}

async function ask(filter: Filter, request: FakeRequest = fakeRequest()): Promise<string> {
  const answer = (await filter.onRequest?.(request)) as FilterAnswer | undefined;
  filter.onEnd?.(request);
  return String(answer?.body);
}

const answering = (text: string): string =>
  `export const createFilter = (options) => ({ name: 'a', onRequest: () => ({ status: 200, body: ${text} }) });`;

const status = (filter: Filter, name: string): unknown => filter.status?.()[name];
async function reloaded(filter: Filter, count: number): Promise<void> {
  await expect.poll(() => status(filter, 'reloadCount'), { timeout: 5_000 }).toBe(count);
}

describe('a filter of a module', () => {
  it('is made with its options', async () => {
    await write('a.mjs', answering('JSON.stringify(options)'));
    expect(await ask(await load({ options: { team: 'blue' } }))).toBe('{"team":"blue"}');
    expect(await ask(await load())).toBe('{}');
  });

  it('has all hooks of the contract', async () => {
    await write(
      'a.mjs',
      `export const createFilter = () => ({
        name: 'a', seen: [],
        onRequest(request) { this.seen.push('request ' + request.path); return undefined; },
        requestBody() { return { keepsLength: true, transform: (chunk) => chunk }; },
        onResponse(response) { this.seen.push('response ' + response.status); },
        responseBody() { return { transform: async (chunk) => Buffer.from(String(chunk).toUpperCase()), flush: () => Buffer.from('.') }; },
        onEnd() { this.seen.push('end'); },
        status() { return { seen: this.seen.join() }; },
      });`,
    );
    const filter = await load();
    const request = fakeRequest('GET /a HTTP/1.1');
    expect(filter.onRequest?.(request)).toBeUndefined();
    expect(filter.requestBody?.(request)?.keepsLength).toBe(true);
    filter.onResponse?.(fakeResponse(204), request);
    const body = filter.responseBody?.(fakeResponse(), request);
    expect(String(await body?.transform(Buffer.from('abc')))).toBe('ABC');
    expect(String(await body?.flush?.())).toBe('.');
    filter.onEnd?.(request);
    expect(status(filter, 'seen')).toBe('request /a,response 204,end');
  });

  it.each([
    ['export const x = 1;', 'has to export a function createFilter'],
    ['export const createFilter = () => 5;', 'has to return a filter'],
    ['export const createFilter = () => ({});', 'none of the hooks'],
    [
      'export const createFilter = () => ({ onRequest: 1 });',
      'onRequest of the filter has to be a function',
    ],
    [
      'export const createFilter = () => { throw new Error("no tenant named"); };',
      'no tenant named',
    ],
    ['export const createFilter = async () => { throw new Error("later"); };', 'later'],
    ['export const createFilter = (', 'module.path'],
    ['import "./missing.mjs"; export const createFilter = () => ({});', 'missing.mjs'],
  ])('is refused with the configuration: %s', async (text, message) => {
    await write('a.mjs', text);
    await expect(load()).rejects.toThrow(message.includes('.path') ? 'path: expected' : message);
  });

  it('is refused when its file is not there, or is no module', async () => {
    await expect(load()).rejects.toThrow('a.mjs');
    await expect(load({ path: 'a.json' })).rejects.toThrow('module.path');
  });

  it('may not take for ever: its promises are rejected, and those of its bodies', async () => {
    await write(
      'a.mjs',
      `const never = () => new Promise(() => {});
       export const createFilter = () => ({ onRequest: never, responseBody: () => ({ transform: never }) });`,
    );
    const filter = await load({ timeoutMs: 20 });
    const request = fakeRequest();
    await expect(filter.onRequest?.(request)).rejects.toThrow('more than 20 ms');
    const body = filter.responseBody?.(fakeResponse(), request);
    await expect(body?.transform(Buffer.from('x'))).rejects.toThrow('more than 20 ms');
    expect(status(filter, 'timeoutCount')).toBe(2);
  });

  it('that throws, throws: what becomes of the request is not for it to say', async () => {
    await write(
      'a.mjs',
      `export const createFilter = () => ({ onRequest() { throw new Error('oh'); } });`,
    );
    const filter = await load();
    const request = fakeRequest();
    expect(() => filter.onRequest?.(request)).toThrow('oh');
    filter.onEnd?.(request);
    expect(await ask(filter).catch((error: Error) => error.message)).toBe('oh');
  });
});

describe('a module that changes', () => {
  it('is loaded anew, and what it imports by relative paths', async () => {
    await write('rules.mjs', `export const word = 'one';`);
    await write('between.mjs', `export { word } from './rules.mjs';`);
    await write('a.mjs', `import { word } from './between.mjs';\n${answering('word')}`);
    const filter = await load();
    expect(await ask(filter)).toBe('one');
    await write('rules.mjs', `export const word = 'two';`);
    await reloaded(filter, 1);
    expect(await ask(filter)).toBe('two');
    await write('a.mjs', answering('"three"'));
    await reloaded(filter, 2);
    expect(await ask(filter)).toBe('three');
    expect(lines.map(({ message }) => message)).toEqual([
      'a filter was reloaded',
      'a filter was reloaded',
    ]);
  });

  it('keeps the filter before when it is broken, says why, and takes the next good one', async () => {
    await write('a.mjs', answering('"good"'));
    const filter = await load();
    const failed = async (count: number): Promise<void> => {
      await expect.poll(() => status(filter, 'failedReloadCount'), { timeout: 5_000 }).toBe(count);
    };
    await write('a.mjs', 'export const createFilter = (');
    await failed(1);
    expect(await ask(filter)).toBe('good');
    expect(lines.at(-1)).toMatchObject({
      fields: { path: join(folder, 'a.mjs'), reason: expect.stringMatching(/Unexpected end/) },
      message: 'a filter could not be reloaded; the one before stays',
    });
    // What mends it is in a file that only the new version imports.
    await write('a.mjs', `import { word } from './word.mjs';\n${answering('word')}`);
    await failed(2);
    expect(await ask(filter)).toBe('good');
    await write('word.mjs', `export const word = 'mended';`);
    await reloaded(filter, 1);
    expect(await ask(filter)).toBe('mended');
    expect(status(filter, 'lastFailure')).toBeUndefined();
  });

  it('closes the filter before after its last request, which it sees to its end', async () => {
    const text = (version: string): string =>
      `globalThis.closedFilters ??= [];
       export const createFilter = () => ({
         onRequest: () => undefined,
         onResponse: (response) => response.headers.set('x-version', '${version}'),
         close: () => void globalThis.closedFilters.push('${version}'),
       });`;
    const closed = (): string[] =>
      (globalThis as unknown as { closedFilters: string[] }).closedFilters;
    await write('a.mjs', text('1'));
    const filter = await load();
    const request = fakeRequest();
    await filter.onRequest?.(request);
    await write('a.mjs', text('2'));
    await reloaded(filter, 1);
    expect(closed()).toEqual([]);
    expect(status(filter, 'instanceCount')).toBe(2);
    const [old, young] = [fakeResponse(), fakeResponse()];
    filter.onResponse?.(old, request);
    const another = fakeRequest();
    await filter.onRequest?.(another);
    filter.onResponse?.(young, another);
    expect([old, young].map(({ headers }) => headers.get('x-version'))).toEqual(['1', '2']);
    filter.onEnd?.(request);
    await expect.poll(closed).toEqual(['1']);
    filter.onEnd?.(another);
    await filter.close?.();
    expect(closed()).toEqual(['1', '2']);
  });

  it('stays as it is without `reload`', async () => {
    await write('a.mjs', answering('"one"'));
    const filter = await load({ reload: false });
    const watched = await load();
    await write('a.mjs', answering('"two"'));
    await reloaded(watched, 1);
    expect([await ask(filter), await ask(watched)]).toEqual(['one', 'two']);
  });

  it('is loaded once for several changes at once', async () => {
    await write('a.mjs', answering('"0"'));
    const filter = await load();
    for (let version = 1; version <= 20; version++) await write('a.mjs', answering(`"${version}"`));
    await expect.poll(() => ask(filter), { timeout: 5_000 }).toBe('20');
    expect(status(filter, 'reloadCount')).toBeLessThan(20);
    expect(status(filter, 'instanceCount')).toBe(1);
  });
});
