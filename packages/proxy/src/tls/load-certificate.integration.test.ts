/** Certificates and keys that are wrong: what is said about them, and what is not. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, ConfigError } from '@evenkeel/core';
import { createProxy, type ProxyOptions, type TlsOptions } from '../index.ts';
import { type IssuedCertificate, openssl, TestAuthority } from './test-support/authority.ts';

/** A cluster that is never asked. */
const cluster = {
  name: 'origin',
  subscribe: () => () => undefined,
  nowMs: () => 0,
} as unknown as Cluster;

async function errorOf(options: Partial<ProxyOptions>, tls?: unknown): Promise<ConfigError> {
  const http = { routes: [{ cluster: 'origin' }] };
  const listener = { listen: '127.0.0.1:0', tls: tls as TlsOptions, http };
  try {
    const proxy = await createProxy({
      clusters: [cluster],
      listeners: [listener],
      ...options,
    } as ProxyOptions);
    await proxy.close();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe.skipIf(openssl === undefined)('TLS options', () => {
  let authority: TestAuthority;
  let good: IssuedCertificate;
  let sealed: IssuedCertificate;
  beforeAll(async () => {
    authority = await TestAuthority.create();
    good = await authority.issue({ names: ['a.example'] });
    sealed = await authority.issue({ names: ['b.example'], passphrase: 'open sesame' });
  });
  afterAll(() => authority.dispose());

  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ['no certificate', () => ({ certificates: [] }), 'certificates'],
    ['a certificate without a key', () => ({ cert: good.pem.cert }), 'certificates[0]'],
    ['text beside files', () => ({ ...good.pem, ...good.files }), 'certificates[0]'],
    [
      'a file that is not there',
      () => ({ ...good.files, keyFile: '/nowhere/key.pem' }),
      'certificates[0].keyFile',
    ],
    [
      'a key in the place of its path',
      () => ({ ...good.files, keyFile: good.pem.key }),
      'certificates[0].keyFile',
    ],
    [
      'a key in the place of a version',
      () => ({ certificates: [good.pem], minVersion: good.pem.key }),
      'minVersion',
    ],
    [
      'a certificate that is none',
      () => ({ ...good.pem, cert: 'no certificate' }),
      'certificates[0].cert',
    ],
    [
      'a certificate with damage',
      () => ({ ...good.pem, cert: good.pem.cert.replace(/A/g, 'B') }),
      'certificates[0].cert',
    ],
    ['a key that is none', () => ({ ...good.pem, key: good.pem.cert }), 'certificates[0].key'],
    [
      'the key of another certificate',
      () => ({ ...good.files, keyFile: authority.keyFile }),
      'certificates[0].keyFile',
    ],
    ['a key without its passphrase', () => sealed.pem, 'certificates[0].key'],
    [
      'a key with a wrong passphrase',
      () => ({ ...sealed.pem, passphrase: 'open barley' }),
      'certificates[0].key',
    ],
    ['an old version', () => ({ certificates: [good.pem], minVersion: 'TLSv1' }), 'minVersion'],
    ['ciphers that are none', () => ({ certificates: [good.pem], ciphers: 'NICE' }), 'ciphers'],
    [
      'an authority that is none',
      () => ({ certificates: [good.pem], clientCa: 'somebody' }),
      'clientCa',
    ],
    [
      'asking for certificates that nobody signs',
      () => ({ certificates: [good.pem], requestClientCertificate: 'required' }),
      'requestClientCertificate',
    ],
  ];
  it.each(cases)('are refused for %s', async (_, make, path) => {
    const made = make() as object;
    const tls = 'certificates' in made ? made : { certificates: [made] };
    const error = await errorOf({}, tls);
    expect(error.issues.map((issue) => issue.path)).toEqual([
      `createProxy.listeners[0].tls.${path}`,
    ]);
    const told = `${error.message} ${JSON.stringify(error)} ${String(error.cause)}`;
    expect(told).not.toMatch(/PRIVATE|open (sesame|barley)|MI[GH]/);
  });

  it('say all that is wrong with all certificates at once', async () => {
    const error = await errorOf(
      { upstreams: { origin: { tls: { caFile: '/nowhere/ca.pem' } } } },
      {
        certificates: [
          { ...good.pem, key: 'x' },
          { ...good.pem, cert: 'y' },
        ],
      },
    );
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual([
      'createProxy.listeners[0].tls.certificates[0].key',
      'createProxy.listeners[0].tls.certificates[1].cert',
      'createProxy.upstreams.origin.tls.caFile',
    ]);
  });

  it.each([
    ['an unknown cluster', { other: {} }, 'createProxy.upstreams'],
    [
      'an address as a name',
      { origin: { tls: { servername: '10.0.0.1' } } },
      'createProxy.upstreams.origin.tls.servername',
    ],
  ])('towards endpoints are refused for %s', async (_, upstreams, path) => {
    const error = await errorOf({ upstreams });
    expect(error.issues.map((issue) => issue.path)).toEqual([path]);
  });

  it('take a key that is encrypted, and a chain', async () => {
    const chain = `${authority.folder}/chain.pem`;
    await writeFile(chain, `${sealed.pem.cert}${authority.cert}`);
    const proxy = await createProxy({
      clusters: [cluster],
      listeners: [
        {
          listen: '127.0.0.1:0',
          tls: {
            certificates: [
              { certFile: chain, keyFile: sealed.files.keyFile, passphrase: 'open sesame' },
            ],
          },
          http: { routes: [{ cluster: 'origin' }] },
        },
      ],
    });
    expect(proxy.certificates[0]?.names).toEqual(['b.example']);
    await proxy.close();
  });
});
