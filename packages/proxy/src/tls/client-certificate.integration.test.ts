/** Routes by the certificate of the client, with certificates made by OpenSSL. */
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../engine/test-support/proxy-fixture.ts';
import { answering, OK } from '../engine/test-support/scripted-origin.ts';
import type { CertificateMatchOptions } from '../index.ts';
import { type IssuedCertificate, openssl, TestAuthority } from './test-support/authority.ts';
import { visit } from './test-support/secure-client.ts';

describe.skipIf(openssl === undefined)('a route for clients with a certificate', () => {
  let authority: TestAuthority;
  let server: IssuedCertificate;
  let client: IssuedCertificate;
  let stranger: TestAuthority;
  let fixture: ProxyFixture | undefined;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    stranger = await TestAuthority.create('Somebody Else');
    server = await authority.issue({ names: ['a.example'] });
    client = await authority.issue({ names: ['billing.example', '127.0.0.9'] });
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(async () => {
    await authority.dispose();
    await stranger.dispose();
  });

  /** @returns the answer of the route for the certificate, of the other one, or why there is none */
  async function ask(
    certificate: CertificateMatchOptions,
    shown: IssuedCertificate | undefined,
  ): Promise<string | undefined> {
    fixture = await ProxyFixture.start(answering(OK), {
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            tls: {
              certificates: [server.pem],
              clientCa: authority.cert,
              requestClientCertificate: 'optional',
            },
            http: {
              routes: [
                { match: { certificate }, respond: { status: 200, body: 'known' } },
                { respond: { status: 200, body: 'other' } },
              ],
            },
          },
        ],
      },
    });
    const { response, failure } = await visit(fixture.port, {
      ca: authority.cert,
      servername: 'a.example',
      ...shown?.pem,
    });
    return /\r\n\r\n(.*)$/.exec(response)?.[1] ?? failure;
  }

  it.each([
    ['any certificate', {}, 'known'],
    ['none', { present: false }, 'other'],
    ['its subject', { subject: { exact: 'billing.example' } }, 'known'],
    ['another subject', { subject: { exact: 'sales.example' } }, 'other'],
    ['one of its names', { name: { exact: 'IP Address:127.0.0.9' } }, 'known'],
    ['the beginning of a name', { name: { prefix: 'DNS:billing.' } }, 'known'],
    ['an expression for names', { name: { regex: 'DNS:.*[.]example' } }, 'known'],
    ['another name', { name: { exact: 'DNS:a.example' } }, 'other'],
    ['another certificate', { fingerprints: ['ab'.repeat(32)] }, 'other'],
  ] as const)('is for %s', async (_, match, answer) => {
    expect(await ask(match, client)).toBe(answer);
  });

  it('is for this very certificate', async () => {
    const { fingerprint256 } = new X509Certificate(client.pem.cert);
    expect(await ask({ fingerprints: [fingerprint256] }, client)).toBe('known');
  });

  it('is not for clients without one', async () => {
    expect(await ask({}, undefined)).toBe('other');
  });

  it('is for clients without one, if it says so', async () => {
    expect(await ask({ present: false }, undefined)).toBe('known');
  });

  it('is never reached with a certificate that somebody else has signed', async () => {
    const forged = await stranger.issue({ names: ['billing.example'] });
    expect(await ask({ subject: { exact: 'billing.example' } }, forged)).not.toBe('known');
  });
});
