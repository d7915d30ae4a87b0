import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import { decodeDiscovery } from '../decode-discovery.ts';
import type { EtcdOptions } from './config.ts';
import { etcd, etcdSource } from './etcd.ts';

describe('etcd()', () => {
  it.each<{ options: object; says: RegExp }>([
    { options: {}, says: /etcd\.prefix: expected a text/u },
    { options: { prefix: '' }, says: /etcd\.prefix: expected a text/u },
    { options: { prefix: '/a/', prefx: 'b' }, says: /etcd\.prefx: .*no such option/u },
    {
      options: { prefix: '/a/', endpoints: [] },
      says: /endpoints: expected at least one address/u,
    },
    { options: { prefix: '/a/', endpoints: ['ftp://x'] }, says: /etcd\.endpoints\[0\]/u },
    { options: { prefix: '/a/', endpoints: ['http://me:pw@x'] }, says: /etcd\.endpoints\[0\]/u },
    { options: { prefix: '/a/', waitMs: 10 }, says: /etcd\.waitMs: expected a duration/u },
    { options: { prefix: '/a/', format: 'xml' }, says: /format: expected one of auto, host-port/u },
    {
      options: { prefix: '/a/', consistency: 'stale' },
      says: /one of serializable, linearizable/u,
    },
    { options: { prefix: '/a/', username: 'me' }, says: /etcd\.password/u },
    {
      options: { prefix: '/a/', tls: { keyFile: 'k' } },
      says: /'certFile' and 'keyFile' together/u,
    },
  ])('refuses $options', ({ options, says }) => {
    expect(() => etcd(options as EtcdOptions)).toThrow(ConfigError);
    expect(() => etcd(options as EtcdOptions)).toThrow(says);
  });

  it('never tells a password', () => {
    const options = { prefix: 7, username: 'me', password: 'very-secret', passwordFile: 7 };
    try {
      etcd(options as unknown as EtcdOptions);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain('very-secret');
    }
  });

  it('may be named in data where its kind is passed along', () => {
    const data = { etcd: { prefix: '/services/users/' } };
    expect(decodeDiscovery(data, 'discovery', [etcdSource]).kind).toBe('etcd');
    expect(() => decodeDiscovery(data, 'discovery')).toThrow(/etcdSource.*@evenkeel\/core\/etcd/u);
  });
});
