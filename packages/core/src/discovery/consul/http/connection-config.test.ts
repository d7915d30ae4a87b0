import { describe, expect, it } from 'vitest';
import { completeConnection } from './connection-config.ts';

describe('completeConnection', () => {
  it('falls back on the agent of this host', () => {
    expect(completeConnection({}, 'consul', {})).toMatchObject({
      address: 'http://127.0.0.1:8500',
      token: undefined,
      timeoutMs: 10_000,
      tls: { rejectUnauthorized: true },
    });
  });

  it("heeds the variables of Consul's own tools", () => {
    const environment = {
      CONSUL_HTTP_ADDR: 'consul.internal:8501',
      CONSUL_HTTP_SSL: 'true',
      CONSUL_HTTP_SSL_VERIFY: 'false',
      CONSUL_HTTP_TOKEN: 'from-variable',
      CONSUL_HTTP_TOKEN_FILE: '/never/read',
      CONSUL_CACERT: '/ca.pem',
      CONSUL_NAMESPACE: 'team',
      CONSUL_PARTITION: '',
    };
    expect(completeConnection({}, 'consul', environment)).toMatchObject({
      target: { kind: 'tcp', secure: true, host: 'consul.internal', port: 8501 },
      token: { kind: 'text', text: 'from-variable' },
      tls: { caFile: '/ca.pem', rejectUnauthorized: false },
      namespace: 'team',
      partition: undefined,
    });
  });

  it.each([
    { options: { token: 'given' }, token: { kind: 'text', text: 'given' } },
    { options: { tokenFile: '/t' }, token: { kind: 'file', path: '/t' } },
    { options: {}, token: { kind: 'text', text: 'env' } },
  ])('prefers what is given: $options', ({ options, token }) => {
    const environment = { CONSUL_HTTP_TOKEN: 'env', CONSUL_HTTP_TOKEN_FILE: '/env' };
    expect(completeConnection(options, 'consul', environment).token).toEqual(token);
  });

  it('refuses an address in the environment that is none', () => {
    expect(() => completeConnection({}, 'consul', { CONSUL_HTTP_ADDR: 'ftp://x' })).toThrow(
      /consul\.address: expected .*CONSUL_HTTP_ADDR/u,
    );
  });
});
