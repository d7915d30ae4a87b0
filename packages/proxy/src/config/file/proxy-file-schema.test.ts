import { ConfigError } from '@evenkeel/core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decodeProxyFile } from './decode-proxy-file.ts';
import { proxyJsonSchema } from './proxy-file-schema.ts';

const FILE = `
clusters:
  users:
    discovery: { dns: { name: users.internal, port: 8080 } }
    health: { http: { path: /healthz, interval: 5s } }
listeners:
  - listen: 127.0.0.1:8080
    http:
      filters: [{ cors: { origins: ['https://a.example'] } }]
      routes:
        - match: { path: { prefix: /v2/ }, headers: { x-a: { present: true } } }
          split:
            - { cluster: users, subset: { version: v2 }, weight: 5 }
            - { cluster: users, weight: 95 }
        - { cluster: users, timeout: 2s, retry: { attempts: 2 } }
  - { listen: 127.0.0.1:53, udp: { cluster: users, idleTimeout: 1m } }
timeouts: { head: 5s }
via: false
`;

describe('the JSON Schema of a file', () => {
  const validate = new Ajv2020({ strict: true, allErrors: true }).compile(
    proxyJsonSchema({ form: 'file' }),
  );

  it('takes what the decoder takes', () => {
    const raw = parse(FILE) as unknown;
    decodeProxyFile(raw);
    validate(raw);
    expect(validate.errors).toBeNull();
  });

  it.each([
    ['a bare number for a duration', 'head: 5s', 'head: 5000', '/timeouts/head'],
    ['a name of the code', 'head: 5s', 'headMs: 5000', '/timeouts'],
    [
      'a value out of range',
      'weight: 95',
      'weight: -1',
      '/listeners/0/http/routes/0/split/1/weight',
    ],
    ['an option of a cluster', 'interval: 5s', 'intervall: 5s', '/clusters/users/health/http'],
  ])('refuses %s, at its place', (_, good, bad, place) => {
    const raw = parse(FILE.replace(good, bad)) as unknown;
    expect(() => decodeProxyFile(raw)).toThrow(ConfigError);
    expect(validate(raw)).toBe(false);
    expect(validate.errors?.map(({ instancePath }) => instancePath)).toContain(place);
  });

  it('has the words of the code in the form of code', () => {
    const { properties } = proxyJsonSchema({ form: 'code' }) as {
      properties: Record<string, { properties?: object }>;
    };
    expect(Object.keys(properties['timeouts']?.properties ?? {})).toContain('headMs');
  });
});
