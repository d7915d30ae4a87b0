import {
  type ClusterOptions,
  ConfigError,
  type ConfigIssue,
  decodeClusterFile,
  type DiscoverySource,
  type JsonSchema,
} from '@evenkeel/core';
import { codeFormOf, ConfigDocument, jsonSchemaOf } from '@evenkeel/core/config';
import { decode } from '@evenkeel/core/schema';
import { type GuardOptions, parseLimits, parseRules } from '../forwarder/guard-options.ts';
import type { NextOptions } from '../forwarder/next-slot.ts';
import { type ForwarderOptions, parseOptions } from '../forwarder/options.ts';
import { parseSources } from '../forwarder/service.ts';
import { parseVip } from '../forwarder/vip.ts';
import type { GatewayConfig, NatConfig } from './gateway-options.ts';
import { gatewaySchema, type GatewayShape } from './gateway-schema.ts';

export interface DecodeOptions {
  /** What the file is called in messages; one that ends in `.json` is JSON, every other YAML. */
  readonly name: string;
  /** Kinds of discovery from other entries that clusters may name: `[consulSource]`. */
  readonly sources?: readonly DiscoverySource[];
  /** Variables that values may name: `${NAME}`, `${NAME:-default}`. Default none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the configuration of a gateway from the text of a file.
 *
 * @throws ConfigError with every issue found: file, line, place, what is allowed there and what was found
 */
export async function decodeGatewayFile(
  text: string,
  { name, sources = [], environment = {} }: DecodeOptions,
): Promise<GatewayConfig> {
  const format = name.endsWith('.json') ? 'json' : 'yaml';
  const document = await ConfigDocument.read(text, { name, format, environment });
  try {
    return decodeGateway(document.value, sources);
  } catch (error) {
    throw error instanceof ConfigError ? document.locate(error) : error;
  }
}

/** The same from what a parser made of a file; messages have no lines then. */
export function decodeGateway(
  raw: unknown,
  sources: readonly DiscoverySource[] = [],
): GatewayConfig {
  const schema = gatewaySchema(sources);
  const shape = decode(schema, codeFormOf(schema, raw, ''), '');
  const issues: ConfigIssue[] = [];
  const clusters = new Map<string, ClusterOptions>();
  const inFile = (raw as { clusters: Record<string, unknown> }).clusters;
  for (const [name, options] of Object.entries(inFile)) {
    note(issues, () => {
      const path = `clusters.${name}`;
      clusters.set(name, forGateway(decodeClusterFile(options, { path, name, sources })));
    });
  }
  for (const [name, { topology }] of clusters) {
    if (topology?.aperture === undefined) continue;
    issues.push({
      path: `clusters.${name}.topology.aperture`,
      expected: 'no aperture: a flow that comes to another gateway has to find its real there',
      actual: JSON.stringify(topology.aperture),
    });
  }
  issues.push(...wrongTogether(shape));
  if (issues.length > 0) throw new ConfigError(issues);
  const { interface: interfaces, clusters: _raw, guard: guardShape, ...rest } = shape;
  const { admin, nat, next } = shape;
  const { everyPacket, trackedSources, ...guardRules } = guardShape ?? NO_GUARD;
  const guard = guardShape && { everyPacket, trackedSources };
  return {
    ...rest,
    interfaces: typeof interfaces === 'string' ? [interfaces] : interfaces,
    ...{ admin, nat, next, guard, guardRules, clusters },
  };
}

/** JSON Schema (draft 2020-12) of the file, for editors; `code` is the form that the reference shows beside it. */
export function gatewayJsonSchema(
  options: { readonly form?: 'code' | 'file'; readonly sources?: readonly DiscoverySource[] } = {},
): JsonSchema {
  const { form = 'file', sources = [] } = options;
  return { title: 'An edge gateway of Evenkeel', ...jsonSchemaOf(gatewaySchema(sources), form) };
}

/**
 * A gateway that starts must not send flows to a real that has been dead all along, so its endpoints wait for their
 * first check unless the file says otherwise. It has no requests to watch, and places flows by its own tables.
 */
function forGateway(options: ClusterOptions): ClusterOptions {
  const { health } = options;
  const waiting = { initial: 'unchecked' } as const;
  return {
    ...options,
    policy: 'random',
    outlierDetection: false,
    ...(health === undefined
      ? {}
      : {
          health: {
            ...(health.http === undefined ? {} : { http: { ...waiting, ...health.http } }),
            ...(health.tcp === undefined ? {} : { tcp: { ...waiting, ...health.tcp } }),
          },
        }),
  };
}

const NO_GUARD = { everyPacket: false, trackedSources: 0 };
const SOME_MAC = '02:00:00:00:00:01';

/** What the forwarder is opened with, but for what only the machine can tell. */
export function forwarderOptions(
  config: Pick<GatewayConfig, 'flowsPerCpu' | 'ringSeed' | 'repliesPerSecond' | 'outerSource'> & {
    readonly nat?: NatConfig | undefined;
    readonly guard?: GuardOptions | undefined;
    readonly next?: NextOptions | undefined;
  },
): Omit<ForwarderOptions, 'nextHop' | 'mtu'> {
  const { flowsPerCpu, ringSeed, repliesPerSecond, outerSource, nat, guard, next } = config;
  const { ipv4, ipv6 } = outerSource;
  return {
    ...{ flowsPerCpu, repliesPerSecond, ringSeed: BigInt(ringSeed) },
    outerSource: {
      ...(ipv4 === undefined ? {} : { ipv4 }),
      ...(ipv6 === undefined ? {} : { ipv6 }),
    },
    ...(guard === undefined ? {} : { guard }),
    ...(next === undefined ? {} : { next }),
    ...(nat === undefined ? {} : { nat: { ...nat, ports: [nat.ports.first, nat.ports.last] } }),
  };
}

/** What single fields cannot tell: references, doubles, and the forwarder's own rules. */
function wrongTogether(shape: GatewayShape): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const seen = new Map<string, number>();
  for (const [index, vip] of shape.vips.entries()) {
    const path = `vips[${index}]`;
    const rename = ['vip', path] as const;
    note(
      issues,
      () => {
        const parsed = parseVip({ address: vip.address, port: vip.port, protocol: vip.protocol });
        const first = seen.get(parsed.name);
        if (first === undefined) seen.set(parsed.name, index);
        else {
          const actual = `${parsed.name}, as vips[${first}]`;
          issues.push({ path, expected: 'each VIP once', actual });
        }
        const sources = vip.sourceRoutes.map((route) => route.sources);
        note(issues, () => parseSources(sources, parsed), ['routes', `${path}.sourceRoutes`]);
      },
      rename,
    );
    const { limits } = vip;
    note(issues, () => parseLimits(limits, `${path}.limits`));
    if (Object.keys(limits).length > 0 && shape.guard === undefined) {
      issues.push({
        path: `${path}.limits`,
        expected: 'a `guard`, which makes room for limits',
        actual: 'none',
      });
    }
    const named = [
      [`${path}.cluster`, vip.cluster],
      ...vip.sourceRoutes.map(
        ({ cluster }, at) => [`${path}.sourceRoutes[${at}].cluster`, cluster] as const,
      ),
    ] as const;
    for (const [place, cluster] of named) {
      if (Object.hasOwn(shape.clusters, cluster)) continue;
      const known = Object.keys(shape.clusters).join(', ');
      issues.push({
        path: place,
        expected: `the name of a cluster (${known === '' ? 'there is none' : known})`,
        actual: JSON.stringify(cluster),
      });
    }
  }
  const { guard } = shape;
  if (guard !== undefined) {
    for (const name of ['deny', 'allow'] as const) {
      note(issues, () => parseRules({ [name]: guard[name] ?? [] }), [name, `guard.${name}`]);
    }
    const { perSource = {} } = guard;
    note(issues, () => parseLimits(perSource, 'guard.perSource'));
  }
  note(issues, () => parseOptions({ nextHop: SOME_MAC, ...forwarderOptions(shape) }));
  return issues;
}

/** Notes the issues of a step, under another name for its root. */
function note(
  issues: ConfigIssue[],
  step: () => unknown,
  rename?: readonly [string, string],
): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const issue of error.issues) {
      const [from, to] = rename ?? ['', ''];
      const isBelow = from !== '' && issue.path.startsWith(from);
      issues.push(isBelow ? { ...issue, path: `${to}${issue.path.slice(from.length)}` } : issue);
    }
  }
}
