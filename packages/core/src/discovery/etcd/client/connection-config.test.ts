import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../error/config-error.ts';
import { completeConnection, type EtcdConnectionOptions } from './connection-config.ts';

describe('completeConnection', () => {
  const complete = (options: EtcdConnectionOptions, environment: Record<string, string> = {}) =>
    completeConnection(options, 'etcd', environment);

  it('falls back on this host', () => {
    expect(complete({})).toMatchObject({
      address: 'http://127.0.0.1:2379',
      credentials: undefined,
      timeoutMs: 5_000,
      tls: { rejectUnauthorized: true },
    });
  });

  it('takes what is not given from the environment of etcdctl', () => {
    const environment = {
      ETCDCTL_ENDPOINTS: 'https://a:2379, b:2379,b:2379',
      ETCDCTL_USER: 'me:pass:word',
      ETCDCTL_CACERT: '/ca.pem',
      ETCDCTL_CERT: '/cert.pem',
      ETCDCTL_KEY: '/key.pem',
    };
    const connection = complete({}, environment);
    expect(connection).toMatchObject({
      address: 'https://a:2379,b:2379',
      credentials: { username: 'me', password: { text: 'pass:word' } },
      tls: { caFile: '/ca.pem', certFile: '/cert.pem', keyFile: '/key.pem' },
    });
    expect(connection.members.map(({ target }) => target)).toMatchObject([
      { host: 'a', port: 2379, secure: true },
      { host: 'b', port: 2379, secure: false },
    ]);
    const own = { endpoints: ['c:1'], username: 'other', passwordFile: '/p' };
    expect(complete(own, environment)).toMatchObject({
      address: 'c:1',
      credentials: { username: 'other', password: { file: '/p' } },
    });
    expect(complete({}, { ETCDCTL_USER: 'me', ETCDCTL_PASSWORD: 'p' }).credentials).toEqual({
      username: 'me',
      password: { text: 'p' },
    });
  });

  it.each<{ options: EtcdConnectionOptions; environment?: Record<string, string>; says: RegExp }>([
    { options: { username: 'me' }, says: /etcd\.password/u },
    { options: { password: 'hunter2' }, says: /etcd\.username/u },
    {
      options: { username: 'me', password: 'hunter2', passwordFile: '/p' },
      says: /etcd\.passwordFile/u,
    },
    { options: { tls: { certFile: '/c' } }, says: /etcd\.tls.*together/u },
    { options: {}, environment: { ETCDCTL_ENDPOINTS: 'ftp://x' }, says: /etcd\.endpoints/u },
  ])('refuses $options', ({ options, environment = {}, says }) => {
    const run = (): unknown => complete(options, environment);
    expect(run).toThrow(ConfigError);
    expect(run).toThrow(says);
    expect(run).not.toThrow(/hunter2/u);
  });
});
