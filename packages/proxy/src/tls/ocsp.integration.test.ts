/** OCSP responses in handshakes, made and checked by OpenSSL. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ProxyFixture } from '../engine/test-support/proxy-fixture.ts';
import { answering, OK } from '../engine/test-support/scripted-origin.ts';
import { type IssuedCertificate, openssl, TestAuthority } from './test-support/authority.ts';

const run = promisify(execFile);

describe.skipIf(openssl === undefined)('a certificate with an OCSP response', () => {
  let authority: TestAuthority;
  let stapled: IssuedCertificate;
  let plain: IssuedCertificate;
  let ocspFile: string;
  let fixture: ProxyFixture | undefined;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    stapled = await authority.issue({ names: ['a.example'] });
    plain = await authority.issue({ names: ['b.example'] });
    ocspFile = await answerFor(stapled);
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(() => authority.dispose());

  /** That it is good, as the authority says. */
  async function answerFor({ pem, files }: IssuedCertificate): Promise<string> {
    const serial = new X509Certificate(pem.cert).serialNumber;
    const index = join(authority.folder, 'index.txt');
    await writeFile(index, `V\t401231235959Z\t\t${serial}\tunknown\t/CN=a.example\n`);
    const response = join(authority.folder, 'response.der');
    await run(openssl ?? 'openssl', [
      ...['ocsp', '-index', index, '-CA', authority.certFile, '-noverify', '-no_nonce'],
      ...['-ndays', '1'],
      ...['-rsigner', authority.certFile, '-rkey', authority.keyFile],
      ...['-issuer', authority.certFile, '-cert', files.certFile, '-respout', response],
    ]);
    return response;
  }

  const start = async (): Promise<ProxyFixture> => {
    const certificates = [{ ...stapled.files, ocspFile }, plain.files];
    fixture = await ProxyFixture.start(answering(OK), {
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            tls: { certificates },
            http: { routes: [{ cluster: 'origin' }] },
          },
        ],
      },
    });
    return fixture;
  };

  /** What a client that asks for it is sent. */
  async function stapledAt(port: number, servername: string): Promise<Buffer | null> {
    const socket = tls.connect({
      host: '127.0.0.1',
      port,
      servername,
      ca: authority.cert,
      requestOCSP: true,
    });
    const [response] = (await once(socket, 'OCSPResponse')) as [Buffer | null];
    socket.destroy();
    return response;
  }

  it('goes out with the handshakes for its names, and with no others', async () => {
    const { port } = await start();
    expect(await stapledAt(port, 'a.example')).toEqual(await readFile(ocspFile));
    expect(await stapledAt(port, 'b.example')).toBeNull();
  });

  it('is one that OpenSSL takes for good', async () => {
    const { port } = await start();
    const response = join(authority.folder, 'seen.der');
    await writeFile(response, (await stapledAt(port, 'a.example')) ?? '');
    const { stdout } = await run(openssl ?? 'openssl', [
      ...['ocsp', '-no_nonce', '-respin', response, '-CAfile', authority.certFile],
      ...['-issuer', authority.certFile, '-cert', stapled.files.certFile],
    ]);
    expect(stdout).toContain('cert.pem: good');
  });

  it('is read anew with the certificates', async () => {
    const { port, proxy } = await start();
    await writeFile(ocspFile, 'no longer one');
    await expect(proxy.reloadCertificates()).rejects.toThrow(
      'tls.certificates[0].ocspFile: expected a successful OCSP response in DER',
    );
    expect(await stapledAt(port, 'a.example')).not.toBeNull();
    ocspFile = await answerFor(stapled);
    await proxy.reloadCertificates();
    expect(await stapledAt(port, 'a.example')).toEqual(await readFile(ocspFile));
  });
});
