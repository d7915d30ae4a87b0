/** Packages that are optional may be missing: then only the filters that need them say so. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** As it is where the package was not installed. */
const without = (name: string): string => `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== '${name}') return next(specifier, context);
      throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });`;

const script = (filters: string): string => `
  const { createProxy } = await import(${JSON.stringify(join(import.meta.dirname, '..', 'index.ts'))});
  const http = { filters: ${filters}, routes: [{ respond: { status: 200 } }] };
  try {
    const proxy = await createProxy({ clusters: [], listeners: [{ listen: '127.0.0.1:0', http }] });
    console.log((await fetch('http://127.0.0.1:' + proxy.addresses[0].port)).status);
    await proxy.close();
  } catch (error) {
    console.log(error.code, error.message);
  }`;

const KEYS = '{ keys: [{ kty: "OKP" }] }';

it.each([
  ['jose', '[]', '200'],
  ['undici', '[]', '200'],
  ['undici', `[{ headers: {} }]`, '200'],
  [
    'jose',
    `[{ jwt: { jwks: ${KEYS}, issuer: 'a', audience: 'b' } }]`,
    'EVENKEEL_UNSUPPORTED jwt needs the package jose: npm install jose',
  ],
  [
    'undici',
    `[{ externalAuthorization: { url: 'http://127.0.0.1:1/' } }]`,
    'EVENKEEL_UNSUPPORTED externalAuthorization needs the package undici: npm install undici',
  ],
])('without %s: %s', async (name, filters, expected) => {
  const { stdout } = await run(process.execPath, [
    '--conditions=@evenkeel/source',
    '--import',
    `data:text/javascript,${encodeURIComponent(without(name))}`,
    '--input-type=module',
    '--eval',
    script(filters),
  ]);
  expect(stdout.trim()).toBe(expected);
});
