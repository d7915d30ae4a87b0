import { describe, expect, it } from 'vitest';
import { decodePayload, type PayloadRules } from './decode-payload.ts';
import type { Instance } from './instance.ts';

const decode = (
  data: string | object,
  options: Partial<PayloadRules> & { name?: string } = {},
): Instance | undefined => {
  const { name = 'node', format = 'auto', endpoint } = options;
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return decodePayload(name, Buffer.from(text), { format, endpoint });
};
const at = (instance: Instance | undefined): string | undefined => instance?.endpoint.id;

const MEMBER = {
  serviceEndpoint: { host: '10.0.0.1', port: 80 },
  additionalEndpoints: { admin: { host: '10.0.0.2', port: 9_990 } },
  status: 'ALIVE',
};
const CURATOR = {
  name: 'users',
  id: 'abc',
  address: '10.0.0.1',
  port: 80,
  sslPort: 443,
  payload: null,
  registrationTimeUTC: 1,
  serviceType: 'DYNAMIC',
  uriSpec: null,
};

describe('host:port', () => {
  it('is the data, or the name of a node without data', () => {
    expect(at(decode('10.0.0.1:80\n'))).toBe('10.0.0.1:80');
    expect(at(decode('[2001:DB8::1]:80'))).toBe('[2001:db8::1]:80');
    expect(at(decode('users.internal:80', { format: 'host-port' }))).toBe('users.internal:80');
    expect(at(decode('', { name: '10.0.0.1:80' }))).toBe('10.0.0.1:80');
  });
  it.each(['10.0.0.1', ':80', '10.0.0.1:0', '10.0.0.1:70000', 'unix:/a:80', 'x'.repeat(400)])(
    'is not %j',
    (text) => {
      expect(() => decode(text)).toThrow(/host:port|expected/u);
    },
  );
});

describe('json', () => {
  it('has weight, labels, tags and place', () => {
    const instance = decode({
      ...{ host: '10.0.0.1', port: 80, weight: '7', tags: ['blue', 3] },
      ...{ metadata: { version: 'v2', shard: 3, deep: {} }, locality: { region: 'r', zone: 'z' } },
    });
    expect(instance?.endpoint).toMatchObject({
      weight: 7,
      metadata: { version: 'v2', shard: '3', 'tag.blue': 'true' },
      locality: { region: 'r', zone: 'z', subzone: '' },
    });
    expect(instance?.usable).toBe(true);
  });
  it('may have its address in one piece', () => {
    expect(at(decode({ address: '10.0.0.1:80' }))).toBe('10.0.0.1:80');
    expect(at(decode({ address: '10.0.0.1', port: 80 }))).toBe('10.0.0.1:80');
  });
  it.each([
    { health: 'unhealthy', usable: false },
    { health: 'degraded', usable: true },
    { enabled: false, usable: false },
  ])('$health $enabled is usable: $usable', ({ usable, ...rest }) => {
    expect(decode({ host: '10.0.0.1', port: 80, ...rest })?.usable).toBe(usable);
  });
  it.each([
    {},
    { host: '10.0.0.1' },
    { host: '', port: 80 },
    { host: 'a', port: '80' },
    { port: 1 },
  ])('is not %j', (raw) => {
    expect(() => decode(raw)).toThrow(/is no text|is no port|expected/u);
  });
});

describe('serverset', () => {
  it('uses members that are alive', () => {
    expect(at(decode(MEMBER))).toBe('10.0.0.1:80');
    expect(decode(MEMBER)?.usable).toBe(true);
    for (const status of ['STARTING', 'STOPPED', 'DEAD', undefined]) {
      expect(decode({ ...MEMBER, status })?.usable).toBe(false);
    }
  });
  it('gives the additional endpoint that is asked for', () => {
    expect(at(decode(MEMBER, { endpoint: 'admin' }))).toBe('10.0.0.2:9990');
    expect(() => decode(MEMBER, { endpoint: 'thrift' })).toThrow('has no thrift');
  });
  it('ignores nodes that are no members', () => {
    const format = 'serverset';
    expect(decode({ vector: [] }, { format, name: 'vector_0000000001' })).toBeUndefined();
    expect(decode('anything', { format, name: 'lock' })).toBeUndefined();
    expect(at(decode(MEMBER, { format, name: 'member_0000000001' }))).toBe('10.0.0.1:80');
    expect(() => decode('10.0.0.1:80', { format, name: 'member_1' })).toThrow(/no JSON/u);
  });
});

describe('curator', () => {
  it('reads an instance, and what Spring Cloud adds', () => {
    expect(decode(CURATOR)?.endpoint).toMatchObject({
      id: '10.0.0.1:80',
      metadata: { 'curator.id': 'abc' },
    });
    const metadata = { weight: '3', zone: 'a', instance_status: 'UP' };
    const instance = decode({ ...CURATOR, payload: { '@class': 'x', metadata } });
    expect(instance?.endpoint).toMatchObject({ weight: 3, locality: { zone: 'a' } });
    expect(instance?.usable).toBe(true);
  });
  it('leaves out what is disabled or out of service', () => {
    const metadata = { instance_status: 'OUT_OF_SERVICE' };
    expect(decode({ ...CURATOR, payload: { metadata } })?.usable).toBe(false);
    expect(decode({ ...CURATOR, enabled: false })?.usable).toBe(false);
  });
  it('gives the port for TLS where it is asked for', () => {
    expect(at(decode(CURATOR, { endpoint: 'ssl' }))).toBe('10.0.0.1:443');
    expect(() => decode({ ...CURATOR, sslPort: null }, { endpoint: 'ssl' })).toThrow('sslPort');
  });
});

it('refuses what is far too long for an instance', () => {
  expect(() => decode({ host: 'a', port: 1, x: 'x'.repeat(70_000) })).toThrow(/bytes of data/u);
});
