/**
 * Reads and checks certificates and keys. What is wrong is collected with its path, so that a configuration is refused
 * with everything that is wrong in it; neither texts nor messages of OpenSSL appear in issues, only its codes.
 */
import type { ConfigIssue } from '@evenkeel/core';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { CertificateOptions } from '../config/tls-options.ts';
import { namesOf } from './certificate-names.ts';
import { loadOcspResponse } from './load-ocsp.ts';

/** A certificate that goes with its key. */
export interface LoadedCertificate {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | undefined;
  /** Host names that it is for, in lower case. */
  readonly names: readonly string[];
  readonly x509: X509Certificate;
  /** In DER; undefined for none. */
  readonly ocspResponse: Buffer | undefined;
}

/** @returns undefined after adding to the issues */
export async function loadCertificate(
  options: CertificateOptions,
  path: string,
  issues: ConfigIssue[],
): Promise<LoadedCertificate | undefined> {
  const { passphrase } = options;
  const [cert, key] = await Promise.all([
    loadText(options.cert, options.certFile, { path: `${path}.cert`, issues }),
    loadText(options.key, options.keyFile, { path: `${path}.key`, issues }),
  ]);
  if (cert === undefined || key === undefined) return undefined;
  const suffix = options.certFile === undefined ? '' : 'File';
  const x509 = parse(() => new X509Certificate(cert));
  if (typeof x509 === 'string') {
    issues.push({ path: `${path}.cert${suffix}`, expected: 'a certificate in PEM', actual: x509 });
    return undefined;
  }
  const parsedKey = parse<KeyObject>(() => createPrivateKey({ key, passphrase }));
  const keyPath = `${path}.key${suffix}`;
  if (typeof parsedKey === 'string') {
    const expected = 'a private key in PEM, with its passphrase if it is encrypted';
    issues.push({ path: keyPath, expected, actual: parsedKey });
    return undefined;
  }
  if (!x509.checkPrivateKey(parsedKey)) {
    issues.push({ path: keyPath, expected: 'the key of the certificate', actual: 'another key' });
    return undefined;
  }
  // What OpenSSL has against the rest of the chain, or against a key that is too short.
  const usable = parse(() => createSecureContext({ cert, key, passphrase }));
  if (typeof usable === 'string') {
    const expected = 'a certificate and a chain that OpenSSL accepts';
    issues.push({ path: `${path}.cert${suffix}`, expected, actual: usable });
    return undefined;
  }
  const before = issues.length;
  const ocspResponse = await loadOcspResponse(options.ocspFile, `${path}.ocspFile`, issues);
  if (issues.length > before) return undefined;
  return { cert, key, passphrase, names: namesOf(x509), x509, ocspResponse };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Certificates of authorities: one or more in a text. @returns undefined when there are none, or they are wrong */
export async function loadAuthorities(
  options: { readonly text: string | undefined; readonly file: string | undefined },
  path: string,
  issues: ConfigIssue[],
): Promise<string | undefined> {
  if (options.text === undefined && options.file === undefined) return undefined;
  const text = await loadText(options.text, options.file, { path, issues });
  if (text === undefined) return undefined;
  const blocks = text.match(CERTIFICATE) ?? [];
  const failure = blocks
    .map((block) => parse(() => new X509Certificate(block)))
    .find((parsed) => typeof parsed === 'string');
  if (blocks.length > 0 && failure === undefined) return text;
  issues.push({
    path: options.file === undefined ? path : `${path}File`,
    expected: 'one or more certificates in PEM',
    actual: typeof failure === 'string' ? failure : 'none',
  });
  return undefined;
}

interface Place {
  readonly path: string;
  readonly issues: ConfigIssue[];
}

async function loadText(
  text: string | undefined,
  file: string | undefined,
  { path, issues }: Place,
): Promise<string | undefined> {
  if (file === undefined) return text;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    issues.push({
      path: `${path}File`,
      expected: 'a file that can be read',
      actual: `${file}: ${codeOf(error)}`,
    });
    return undefined;
  }
}

/** @returns what was made, or the code of the reason why not */
export function parse<T extends object>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'something else';
}
