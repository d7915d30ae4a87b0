import { describe, expect, it } from 'vitest';
import { parseHttpTarget } from './http-target.ts';

describe('parseHttpTarget', () => {
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
    expect(parseHttpTarget(address, false)).toEqual(target);
  });

  it('takes an address without a scheme for https where that is said', () => {
    expect(parseHttpTarget('consul:8501', true)).toEqual(tcp('consul', 8501, true));
  });
});
