/** Reads all certificates of a proxy: either all are good, or nothing is taken over. */
import { ConfigError, type ConfigIssue } from '@evenkeel/core';
import { joinPath } from '@evenkeel/core/schema';
import type { SecureContext } from 'node:tls';
import type { TlsConfig, UpstreamTlsConfig } from '../config/tls-options.ts';
import { loadClientContext } from './client-credentials.ts';
import { loadServerCredentials, type ServerCredentials } from './server-credentials.ts';

export interface Credentials {
  /** By the place of the listener; undefined for clear text. */
  readonly listeners: readonly (ServerCredentials | undefined)[];
  /** By the name of the cluster. */
  readonly upstreams: ReadonlyMap<string, SecureContext>;
}

/** @param path what the options are called in errors @throws ConfigError naming everything that is wrong */
export async function loadCredentials(
  listeners: readonly (TlsConfig | undefined)[],
  upstreams: ReadonlyMap<string, UpstreamTlsConfig>,
  path: string,
): Promise<Credentials> {
  const issues: ConfigIssue[] = [];
  const servers = await Promise.all(
    listeners.map(async (tls, at) =>
      tls === undefined
        ? undefined
        : loadServerCredentials(tls, joinPath(path, ['listeners', at, 'tls']), issues),
    ),
  );
  const contexts = new Map<string, SecureContext>();
  await Promise.all(
    [...upstreams].map(async ([name, tls]) => {
      const context = await loadClientContext(
        tls,
        joinPath(path, ['upstreams', name, 'tls']),
        issues,
      );
      if (context !== undefined) contexts.set(name, context);
    }),
  );
  if (issues.length > 0) throw new ConfigError(issues);
  return { listeners: servers, upstreams: contexts };
}
