import { describe, expect, it } from 'vitest';
import { completeConnection, parseConsulAddress } from './connection-config.ts';

describe('parseConsulAddress', () => {
  const tcp = (host: string, port: number, secure = false, prefix = '') => ({
    kind: 'tcp',
    secure,
    host,
    port,
    prefix,
  });
  it.each([
    ['127.0.0.1:8500', tcp('127.0.0.1', 8500)],
    ['consul:8500', tcp('consul', 8500)],
    ['http://[::1]:8500', tcp('::1', 8500)],
    ['https://consul.internal', tcp('consul.internal', 443, true)],
    ['http://proxy/consul/', tcp('proxy', 80, false, '/consul')],
    ['unix:///run/consul.sock', { kind: 'unix', path: '/run/consul.sock' }],
    ['unix://run/consul.sock', undefined],
    ['ftp://consul', undefined],
    ['http://user:secret@consul:8500', undefined],
    ['http://consul:8500/?token=secret', undefined],
    ['http://consul:99999', undefined],
    ['', undefined],
  ])('%s', (address, target) => {
    expect(parseConsulAddress(address, false)).toEqual(target);
  });

  it('takes an address without a scheme for https where that is said', () => {
    expect(parseConsulAddress('consul:8501', true)).toEqual(tcp('consul', 8501, true));
  });
});

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
