import { describe, expect, it } from 'vitest';
import { createEndpoint, type EndpointInput } from '../../model/endpoint.ts';
import { checkTargetOf, hostHeaderOf, serverNameOf } from './target.ts';

describe('checkTargetOf', () => {
  it.each<{ input: EndpointInput; port?: number; target: object }>([
    { input: '10.0.0.1:80', target: { host: '10.0.0.1', port: 80 } },
    { input: '10.0.0.1:80', port: 9000, target: { host: '10.0.0.1', port: 9000 } },
    { input: '[::1]:80', target: { host: '::1', port: 80 } },
    { input: 'app.local:80', target: { host: 'app.local', port: 80 } },
    { input: 'unix:/run/app.sock', target: { path: '/run/app.sock' } },
    { input: 'unix:/run/app.sock', port: 9000, target: { path: '/run/app.sock' } },
  ])('$input with port $port', ({ input, port, target }) => {
    expect(checkTargetOf(createEndpoint(input).address, port)).toEqual(target);
  });
});

describe('hostHeaderOf', () => {
  it.each<{ input: EndpointInput; tls?: boolean; host: string }>([
    { input: '10.0.0.1:8080', host: '10.0.0.1:8080' },
    { input: '10.0.0.1:80', host: '10.0.0.1' },
    { input: '10.0.0.1:80', tls: true, host: '10.0.0.1:80' },
    { input: '10.0.0.1:443', tls: true, host: '10.0.0.1' },
    { input: '[::1]:8080', host: '[::1]:8080' },
    { input: '[fe80::1%eth0]:80', host: '[fe80::1]' },
    { input: 'app.local:8080', host: 'app.local:8080' },
    {
      input: { address: '10.0.0.1:8080', hostname: 'users.internal' },
      host: 'users.internal:8080',
    },
    { input: 'unix:/run/app.sock', host: 'localhost' },
    { input: { unix: '/run/app.sock', hostname: 'users.internal' }, host: 'users.internal' },
  ])('$input with TLS $tls: $host', ({ input, tls = false, host }) => {
    const endpoint = createEndpoint(input);
    expect(hostHeaderOf(endpoint, checkTargetOf(endpoint.address, undefined), tls)).toBe(host);
  });
});

describe('serverNameOf', () => {
  it.each<{ input: EndpointInput; configured?: string; name: string | undefined }>([
    { input: '10.0.0.1:443', name: undefined },
    { input: 'unix:/run/app.sock', name: undefined },
    { input: 'app.local:443', name: 'app.local' },
    { input: { address: 'app.local:443', hostname: 'users.internal' }, name: 'users.internal' },
    {
      input: { address: 'app.local:443', hostname: 'users.internal' },
      configured: 'health.internal',
      name: 'health.internal',
    },
  ])('$input, configured $configured: $name', ({ input, configured, name }) => {
    expect(serverNameOf(createEndpoint(input), configured)).toBe(name);
  });
});
