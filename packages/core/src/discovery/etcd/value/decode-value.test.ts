import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue, ETCD_FORMATS, type EtcdFormat } from './decode-value.ts';

const decode = (text: string, format: EtcdFormat | 'auto' = 'auto') =>
  decodeValue({ key: '/a', value: Buffer.from(text), modRevision: 7n }, format);
const json = JSON.stringify;

describe('decodeValue', () => {
  it.each<{ what: string; text: string; endpoint: object }>([
    { what: 'an address', text: ' 10.0.0.1:80\n', endpoint: { id: '10.0.0.1:80' } },
    { what: 'an IPv6 address', text: '[2001:db8::1]:80', endpoint: { id: '[2001:db8::1]:80' } },
    {
      what: 'JSON of ours',
      text: json({ host: 'a.internal', port: 80, weight: 3, metadata: { v: '2' } }),
      endpoint: { id: 'a.internal:80', weight: 3, metadata: { v: '2' } },
    },
    {
      what: 'JSON of grpc-go',
      text: json({ Op: 0, Addr: '10.0.0.1:80', Metadata: null }),
      endpoint: { id: '10.0.0.1:80', weight: 1, metadata: {} },
    },
    {
      what: 'JSON of grpc-go with an object',
      text: json({ Addr: '10.0.0.1:80', Metadata: { weight: '4', zone: 'a', deep: {}, on: true } }),
      endpoint: {
        weight: 4,
        locality: { region: '', zone: 'a', subzone: '' },
        metadata: { weight: '4', zone: 'a', on: 'true' },
      },
    },
    {
      what: 'JSON of grpc-go with a text',
      text: json({ Addr: '10.0.0.1:80', Metadata: 'blue' }),
      endpoint: { metadata: { metadata: 'blue' } },
    },
  ])('reads $what', ({ text, endpoint }) => {
    const member = decode(text);
    expect(member).toMatchObject({ kind: 'instance', createdAt: 7n, instance: { usable: true } });
    expect(member.kind === 'instance' && member.instance.endpoint).toMatchObject(endpoint);
  });

  it('takes an update of grpc-go that removes an address for nobody', () => {
    expect(decode(json({ Op: 1, Addr: '10.0.0.1:80' }))).toEqual({ kind: 'other' });
  });

  it('takes an instance that says that it is unhealthy for one that is not to be used', () => {
    expect(decode(json({ host: 'a', port: 80, health: 'unhealthy' }))).toMatchObject({
      instance: { usable: false },
    });
  });

  it.each<{ text: string; format: EtcdFormat | 'auto'; problem: RegExp }>([
    { text: '', format: 'auto', problem: /no host:port/u },
    { text: '{', format: 'auto', problem: /no JSON/u },
    { text: '[]', format: 'json', problem: /no JSON object/u },
    { text: json({ host: 'a', port: 0 }), format: 'auto', problem: /port is no port/u },
    { text: json({ Op: 2, Addr: 'a:80' }), format: 'auto', problem: /neither Op 0/u },
    { text: json({ Addr: 'a' }), format: 'auto', problem: /no port/u },
    { text: json({ host: 'a', port: 80 }), format: 'grpc-naming', problem: /nor an Addr/u },
    { text: json({ Addr: 'a:80' }), format: 'json', problem: /address is no text/u },
    { text: json({ host: 'a', port: 80 }), format: 'host-port', problem: /no host:port/u },
    { text: 'x'.repeat(70_000), format: 'auto', problem: /70000 bytes/u },
  ])('says what is wrong with $text as $format', ({ text, format, problem }) => {
    const member = decode(text.length > 1_000 ? 'x'.repeat(70_000) : text, format);
    expect(member.kind === 'wrong' && member.problem).toMatch(problem);
  });

  it('never throws, whatever the value', () => {
    const fields = fc.record(
      {
        Op: fc.jsonValue(),
        Addr: fc.oneof(fc.constant('10.0.0.1:80'), fc.jsonValue()),
        Metadata: fc.jsonValue(),
        host: fc.oneof(fc.constant('a'), fc.jsonValue()),
        port: fc.oneof(fc.constant(80), fc.jsonValue()),
        weight: fc.jsonValue(),
        tags: fc.jsonValue(),
        locality: fc.jsonValue(),
        metadata: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc.oneof(fields, fc.jsonValue()).map((raw) => Buffer.from(json(raw))),
    );
    const format = fc.constantFrom<EtcdFormat | 'auto'>('auto', ...ETCD_FORMATS);
    fc.assert(
      fc.property(value, format, (bytes, kind) => {
        const member = decodeValue({ key: '/a', value: bytes, modRevision: 1n }, kind);
        expect(['instance', 'other', 'wrong']).toContain(member.kind);
      }),
      { seed: 20_263, numRuns: 1_500 },
    );
  });
});
