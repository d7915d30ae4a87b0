import { describe, expect, it } from 'vitest';
import { describeValue } from './config-error.ts';
import { isSecretKey, redactText } from './redact.ts';

describe('isSecretKey', () => {
  it.each([
    'token',
    'consulToken',
    'secret',
    'clientSecret',
    'password',
    'passwd',
    'passphrase',
    'Authorization',
    'proxy-authorization',
    'Cookie',
    'set-cookie',
    'apiKey',
    'x-api-key',
    'private_key',
    'accessKey',
    'key',
    'auth',
    'headers',
  ])('says yes to %s', (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each(['name', 'hashKey', 'path', 'port', 'keyed', 'keepalive', 'header', 3, Symbol('token')])(
    'says no to %s',
    (key) => {
      expect(isSecretKey(key as PropertyKey)).toBe(false);
    },
  );
});

describe('redactText', () => {
  it.each([
    ['http://user:pass@host/', 'http://[redacted]@host/'],
    ['redis://:pass@host', 'redis://[redacted]@host'],
    ['http://host/@path', 'http://host/@path'],
    ['Bearer abc.def', 'Bearer [redacted]'],
    ['authorization: basic dXNlcjpwYXNz', 'authorization: basic [redacted]'],
    ['-----BEGIN RSA PRIVATE KEY-----\\nMIIE', '[redacted]'],
    ['nothing to hide', 'nothing to hide'],
  ])('turns %j into %j', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });
});

describe('describeValue', () => {
  it.each([
    [{ a: { token: 's3cr3t' } }, '{"a":{"token":"[redacted]"}}'],
    [{ headers: { a: 's3cr3t' } }, '{"headers":"[redacted]"}'],
    [[['Authorization', 's3cr3t']], '[["Authorization","[redacted]"]]'],
    [['cookie', 's3cr3t'], '["cookie","[redacted]"]'],
    // Whether something is set is no secret, and often the mistake.
    [{ token: true, password: undefined, secret: null }, '{"token":true,"secret":null}'],
    ['postgres://u:s3cr3t@db/x', '"postgres://[redacted]@db/x"'],
  ])('shows %j as %s', (value, expected) => {
    expect(describeValue(value)).toBe(expected);
  });
});
