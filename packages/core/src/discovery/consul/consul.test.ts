import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import type { ConsulOptions } from './config.ts';
import { consul } from './consul.ts';

describe('consul()', () => {
  it.each<{ options: object; says: RegExp }>([
    { options: {}, says: /consul: expected exactly one of 'service' and 'query'/u },
    { options: { service: 'a', query: 'b' }, says: /exactly one of 'service' and 'query'/u },
    { options: { service: '' }, says: /consul\.service: expected a text/u },
    { options: { query: 'q', tags: ['x'] }, says: /none of failover, tags, filter, peer/u },
    { options: { service: 'a', servce: 'b' }, says: /consul\.servce: .*no such option/u },
    { options: { service: 'a', address: 'ftp://x' }, says: /consul\.address/u },
    { options: { service: 'a', waitMs: 10 }, says: /consul\.waitMs: expected a duration/u },
    { options: { service: 'a', token: 't', tokenFile: 'f' }, says: /consul\.tokenFile/u },
    {
      options: { service: 'a', tls: { certFile: 'c' } },
      says: /certFile' and 'keyFile' together/u,
    },
    { options: { service: 'a', guard: { maxRemovalPercent: 101 } }, says: /guard\.maxRemoval/u },
    { options: { service: 'a', onEmpty: 'panic' }, says: /onEmpty: expected one of keep, clear/u },
  ])('refuses $options', ({ options, says }) => {
    expect(() => consul(options as ConsulOptions)).toThrow(ConfigError);
    expect(() => consul(options as ConsulOptions)).toThrow(says);
  });

  it('never tells a token', () => {
    const options = { service: 'a', token: 'very-secret', tokenFile: 7 } as unknown;
    try {
      consul(options as ConsulOptions);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain('very-secret');
    }
  });

  it('is a fallback when there are data centres to fail over to', () => {
    expect(consul({ service: 'a' }).kind).toBe('consul');
    expect(consul({ service: 'a', failover: ['dc2'] }).kind).toBe('fallback');
  });
});
