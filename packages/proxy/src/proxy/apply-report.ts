/** What a change of configuration was, in the names of the options. */
import { isDeepStrictEqual } from 'node:util';
import type { Cluster } from '@evenkeel/core';
import type { ProxyConfig } from '../config/proxy-config.ts';
import type { ListenerOptions, ProxyOptions } from '../config/options.ts';

/** Names of one kind of thing; each is in one of the lists. */
export interface Changes {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly kept: readonly string[];
  readonly removed: readonly string[];
}

export interface ApplyReport {
  /** How many configurations have come into force, the first and this one included. */
  readonly generation: number;
  /** `http 127.0.0.1:80`: one that changes its kind is removed and added. */
  readonly listeners: Changes;
  /** By listener and name: `http 127.0.0.1:80 /api/*`; with ` (2)` and so on where a name comes again. */
  readonly routes: Changes;
  /** Changed are those that are another object, or are reached in another way. */
  readonly clusters: Changes;
  /** The other options that are not what they were: `timeouts`. */
  readonly settings: readonly string[];
  /**
   * Fulfilled once all that was removed is gone: listeners with their connections, logs, pools with theirs. Requests are
   * waited for as long as they take, those over removed listeners for `drainTimeoutMs`.
   */
  readonly drained: Promise<void>;
}

/** What is told of a configuration. */
type Described = Pick<ProxyConfig, 'options' | 'listeners' | 'clusters'>;

/** @param from undefined where there was none before */
export function reportChanges(
  from: Described | undefined,
  to: Described,
): Omit<ApplyReport, 'generation' | 'drained'> {
  return {
    listeners: changesOf(listenersOf(from), listenersOf(to)),
    routes: changesOf(routesOf(from), routesOf(to)),
    clusters: changesOf(clustersOf(from), clustersOf(to), isSameCluster),
    settings: settingsOf(from?.options, to.options),
  };
}

/** `https 127.0.0.1:443`: a listener of one name stays the same one, whatever else changes about it. */
export function kindOf({ http, tcp, tls, proxyProtocol }: ListenerOptions): string {
  if (http === undefined) return tcp === undefined ? 'udp' : 'tcp';
  const name = tls === undefined ? 'http' : 'https';
  return proxyProtocol === 'required' ? `${name}+proxy` : name;
}

/** In the order of the options, each of them one: where a name comes again (port 0), it is numbered. */
export function listenerNames({ listeners }: Pick<ProxyOptions, 'listeners'>): readonly string[] {
  const number = numbering();
  return listeners.map((listener) => number(`${kindOf(listener)} ${listener.listen}`));
}

function changesOf<T>(
  from: ReadonlyMap<string, T>,
  to: ReadonlyMap<string, T>,
  isEqual: (a: T | undefined, b: T | undefined) => boolean = isDeepStrictEqual,
): Changes {
  const names = [...to.keys()];
  const common = names.filter((name) => from.has(name));
  const isSame = (name: string): boolean => isEqual(from.get(name), to.get(name));
  const kept = common.filter(isSame);
  const same = new Set(kept);
  return {
    added: names.filter((name) => !from.has(name)),
    changed: common.filter((name) => !same.has(name)),
    kept,
    removed: [...from.keys()].filter((name) => !to.has(name)),
  };
}

function listenersOf(config: Described | undefined): Map<string, unknown> {
  if (config === undefined) return new Map();
  const { options } = config;
  return new Map(listenerNames(options).map((name, at) => [name, options.listeners[at]]));
}

function routesOf(config: Described | undefined): Map<string, unknown> {
  if (config === undefined) return new Map();
  const { options, listeners } = config;
  return new Map(
    listenerNames(options).flatMap((listener, at) => {
      const number = numbering();
      const written = options.listeners[at]?.http?.routes;
      return (listeners[at]?.routes ?? []).map(
        ({ name }, index) => [number(`${listener} ${name}`), written?.[index]] as const,
      );
    }),
  );
}

interface NamedCluster {
  readonly cluster: Cluster;
  readonly upstream: unknown;
}

function clustersOf(config: Described | undefined): Map<string, NamedCluster> {
  if (config === undefined) return new Map();
  const { options, clusters } = config;
  return new Map(
    Array.from(clusters, ([name, cluster]) => [
      name,
      { cluster, upstream: options.upstreams?.[name] },
    ]),
  );
}

/** Two clusters are never compared by what is in them. */
function isSameCluster(a: NamedCluster | undefined, b: NamedCluster | undefined): boolean {
  return a?.cluster === b?.cluster && isDeepStrictEqual(a?.upstream, b?.upstream);
}

function settingsOf(from: ProxyOptions | undefined, to: ProxyOptions): readonly string[] {
  const before: Readonly<Record<string, unknown>> = { ...from };
  const after: Readonly<Record<string, unknown>> = { ...to };
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter(
    (name) => !TOLD_APART.has(name) && !isDeepStrictEqual(before[name], after[name]),
  );
}

const TOLD_APART: ReadonlySet<string> = new Set(['clusters', 'listeners', 'upstreams']);

/** Numbers what comes again. */
function numbering(): (name: string) => string {
  const counts = new Map<string, number>();
  return (name) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  };
}
