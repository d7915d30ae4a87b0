import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import {
  zookeeperRegistry,
  type ZookeeperRegistryOptions,
} from '../../registration/zookeeper/zookeeper-registry.ts';
import { decodeDiscovery } from '../decode-discovery.ts';
import type { ZookeeperOptions } from './config.ts';
import { zookeeper, zookeeperSource } from './zookeeper.ts';

const GOOD: ZookeeperOptions = { servers: 'zk:2181', path: '/services/users' };

describe('zookeeper()', () => {
  it.each<{ options: object; says: RegExp }>([
    { options: { servers: undefined }, says: /zookeeper\.servers: expected 'host:port/u },
    { options: { servers: '' }, says: /zookeeper\.servers/u },
    { options: { servers: 'zk:99999' }, says: /zookeeper\.servers: expected 'host:port/u },
    { options: { servers: [] }, says: /zookeeper\.servers: expected at least one server/u },
    { options: { servers: ['zk:1', 'zk 2'] }, says: /zookeeper\.servers/u },
    { options: { servers: 'zk:2181/a//b' }, says: /zookeeper\.servers/u },
    { options: { path: undefined }, says: /zookeeper\.path: expected a text/u },
    { options: { path: 'users' }, says: /zookeeper\.path: expected an absolute path/u },
    { options: { path: '/users/' }, says: /zookeeper\.path: expected an absolute path/u },
    { options: { pth: '/x' }, says: /zookeeper\.pth: .*did you mean 'path'/u },
    { options: { format: 'xml' }, says: /zookeeper\.format: expected one of auto, host-port/u },
    { options: { sessionTimeoutMs: 10 }, says: /zookeeper\.sessionTimeoutMs: expected a dur/u },
    { options: { auth: { username: 'a:b', password: 'x' } }, says: /a name without a colon/u },
    { options: { maxConcurrentReads: 0 }, says: /maxConcurrentReads: expected an integer/u },
    { options: { guard: { maxRemovalPercent: 101 } }, says: /guard\.maxRemoval/u },
  ])('refuses $options', ({ options, says }) => {
    const raw = { ...GOOD, ...options } as ZookeeperOptions;
    expect(() => zookeeper(raw)).toThrow(ConfigError);
    expect(() => zookeeper(raw)).toThrow(says);
  });

  it('never tells a password', () => {
    const raw = { ...GOOD, auth: { username: 7, password: 'very-secret', more: 'very-secret' } };
    try {
      zookeeper(raw as unknown as ZookeeperOptions);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain('very-secret');
    }
  });

  it('can stand in data, where the program passes its kind along', () => {
    const raw = { zookeeper: { ...GOOD } };
    expect(decodeDiscovery(raw, 'discovery', [zookeeperSource]).kind).toBe('zookeeper');
    expect(() => decodeDiscovery(raw, 'discovery')).toThrow(
      /sources: \[zookeeperSource\].*@evenkeel\/core\/zookeeper/u,
    );
  });
});

describe('zookeeperRegistry()', () => {
  it('refuses what makes no sense', () => {
    const registry = (options: object): unknown =>
      zookeeperRegistry({ ...GOOD, ...options } as ZookeeperRegistryOptions);
    expect(() => registry({ path: '/' })).toThrow(/zookeeperRegistry\.path/u);
    expect(() => registry({ format: 'auto' })).toThrow(/zookeeperRegistry\.format/u);
    expect(() => registry({ degradedWeight: -1 })).toThrow(/degradedWeight/u);
  });
});
