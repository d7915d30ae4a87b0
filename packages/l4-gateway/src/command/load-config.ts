import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ConfigError, type DiscoverySource } from '@evenkeel/core';
import { decodeGatewayFile } from '../config/decode-file.ts';
import type { GatewayConfig } from '../config/gateway-options.ts';

export interface LoadedConfig {
  readonly config: GatewayConfig;
  readonly sources: readonly DiscoverySource[];
}

/** @throws ConfigError for a file that cannot be read, and for everything wrong in it */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(
      [{ path, expected: 'a file that can be read', actual: (cause as Error).message }],
      cause,
    );
  }
  const sources = await sourcesIn(text);
  return {
    config: await decodeGatewayFile(text, {
      ...{ name: basename(path), sources },
      environment: process.env,
    }),
    sources,
  };
}

/** Registries are loaded only for files that speak of them: one of them needs a package that may not be installed. */
async function sourcesIn(text: string): Promise<DiscoverySource[]> {
  const sources: DiscoverySource[] = [];
  if (/\bconsul\b/u.test(text)) sources.push((await import('@evenkeel/core/consul')).consulSource);
  if (/\betcd\b/u.test(text)) sources.push((await import('@evenkeel/core/etcd')).etcdSource);
  if (/\bzookeeper\b/u.test(text)) {
    sources.push((await import('@evenkeel/core/zookeeper')).zookeeperSource);
  }
  return sources;
}
