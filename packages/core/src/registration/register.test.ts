import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import type { RegisterOptions } from './config.ts';
import { consulRegistry } from './consul/consul-registry.ts';
import { register } from './register.ts';
import type { Announcement, Registry } from './registration.ts';
import { FakeRegistrar } from './test-support/fake-registrar.ts';

function fakeRegistry(): Registry & { readonly opened: Announcement[] } {
  const opened: Announcement[] = [];
  return {
    kind: 'fake',
    address: 'nowhere',
    opened,
    open: (announcement) => {
      opened.push(announcement);
      return new FakeRegistrar(() => 0);
    },
  };
}

describe('register', () => {
  it('fills in what is not given', async () => {
    const registry = fakeRegistry();
    const runtime = createManualRuntime();
    const registration = register({ registry, service: 'users', port: 8080 }, runtime);
    expect(registry.opened).toEqual([
      {
        id: `users-${hostname()}-8080`,
        service: 'users',
        address: undefined,
        port: 8080,
        weight: 1,
        tags: [],
        metadata: {},
        locality: { region: '', zone: '', subzone: '' },
      },
    ]);
    expect(registration.id).toBe(`users-${hostname()}-8080`);
    const closing = registration.close();
    await runtime.scheduler.advanceAsync(5_000);
    await closing;
  });

  it.each<{ options: object; says: RegExp }>([
    { options: { registry: undefined }, says: /register\.registry: expected a registry/u },
    { options: { port: 0 }, says: /register\.port: expected an integer from 1 to 65535/u },
    { options: { service: '' }, says: /register\.service: expected a text/u },
    { options: { wieght: 3 }, says: /register\.wieght: .*did you mean 'weight'/u },
    { options: { weight: 0 }, says: /register\.weight/u },
    { options: { metadata: { a: 1 } }, says: /register\.metadata\.a: expected a text/u },
    { options: { tags: ['a', ''] }, says: /register\.tags\[1\]/u },
    { options: { locality: { zoen: 'a' } }, says: /register\.locality\.zoen/u },
    {
      options: { registry: consulRegistry(), metadata: { 'a b': 'c' } },
      says: /register\.metadata\.a b: expected a name of letters/u,
    },
  ])('refuses $options', ({ options, says }) => {
    const base = { registry: fakeRegistry(), service: 'users', port: 80 };
    const call = (): unknown => register({ ...base, ...options } as RegisterOptions);
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(says);
  });

  it('refuses options of the registry that make no sense', () => {
    expect(() => consulRegistry({ ttlMs: 1 })).toThrow(/consulRegistry\.ttlMs/u);
    expect(() => consulRegistry({ forgetAfterMs: 1_000 })).toThrow(
      /consulRegistry\.forgetAfterMs/u,
    );
  });
});
