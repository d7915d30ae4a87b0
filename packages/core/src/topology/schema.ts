/** Checks the option `topology` of a cluster. What the options mean stands in `config.ts`. */
import { z } from 'zod';
import type { EndpointSet } from '../model/endpoint-set.ts';
import type { HashKeySource } from '../model/hash-key-source.ts';
import { createLocality, UNKNOWN_LOCALITY } from '../model/locality.ts';
import { durationMs, integer, number, object, oneOf, text } from '../schema/fields.ts';
import { MIN_APERTURE } from './aperture.ts';
import type { SubsetsConfig, SubsetsOptions, TopologyConfig } from './config.ts';
import type { PeerCluster } from './peers.ts';
import { DEFAULT_OVERPROVISIONING_FACTOR } from './priority.ts';
import { DEFAULT_MIN_ENDPOINTS } from './zone-aware.ts';
import { zoneOf } from './zone.ts';

const MAX_LABELS = 16;
const MAX_ZONES = 1_000;
const MAX_SELECTORS = 32;
const MAX_SIDES = 32;
const MAX_PEERS = 10_000_000;
const MAX_WEIGHT = 1_000_000;

const zonePart = text(256).optional().describe('As the endpoints write it.');

const locality = object({ region: zonePart, zone: zonePart, subzone: zonePart }).transform(
  ({ region, zone, subzone }) =>
    createLocality({ region: region ?? '', zone: zone ?? '', subzone: subzone ?? '' }),
);

const labels = z
  .record(text(256), z.string({ error: 'a text' }), { error: 'an object of labels and texts' })
  .refine((value) => countOf(value) >= 1 && countOf(value) <= MAX_LABELS, {
    error: `1 to ${MAX_LABELS} labels`,
  });

const fallback = oneOf(['none', 'any', 'default']);

const peers = object({
  counts: z
    .array(
      object({
        region: zonePart,
        zone: zonePart,
        count: integer({ min: 0, max: MAX_PEERS }).describe('Clients in this zone.'),
      }),
      { error: 'a list of zones with their counts' },
    )
    .max(MAX_ZONES, { error: `at most ${MAX_ZONES} zones` })
    .optional()
    .describe('How many clients stand in each zone, this one included.'),
  self: text().optional().describe('Id of this client among `endpoints` or `cluster`.'),
  // Only code can express these; last, because a file's form leaves them out.
  endpoints: z
    .custom<EndpointSet>((value) => isObject(value) && value['byId'] instanceof Map, {
      error: 'a set of endpoints',
    })
    .optional()
    .describe('In code only: all clients, as `endpointSetOf` makes a set of them.'),
  cluster: z
    .custom<PeerCluster>((value) => isObject(value) && hasMethods(value), { error: 'a cluster' })
    .optional()
    .describe('In code only: a cluster whose endpoints are all clients.'),
}).refine(
  ({ counts, endpoints, cluster }) =>
    [counts, endpoints, cluster].filter((part) => part !== undefined).length === 1,
  { error: 'exactly one of counts, endpoints and cluster' },
);

const zoneAware = object({
  minEndpoints: integer({ min: 1, max: 65_536 })
    .default(DEFAULT_MIN_ENDPOINTS)
    .describe('With fewer healthy endpoints than this zones play no part.'),
});

const localityWeights = z
  .array(
    object({
      region: zonePart,
      zone: zonePart,
      weight: number({ min: 0, max: MAX_WEIGHT }).describe(
        'Share of each zone that matches, relative to the others.',
      ),
    }),
    { error: 'a list of zones with their weights' },
  )
  .min(1, { error: 'at least one zone' })
  .max(MAX_ZONES, { error: `at most ${MAX_ZONES} zones` });

const selector = object({
  keys: z
    .array(text(256), { error: 'a list of labels' })
    .min(1, { error: 'at least one label' })
    .max(MAX_LABELS, { error: `at most ${MAX_LABELS} labels` })
    .describe('Labels that requests name together.'),
  fallback: fallback.optional().describe('Left out: that of the subsets.'),
});

const subsets: z.ZodType<SubsetsConfig, SubsetsOptions> = object({
  selectors: z
    .array(selector, { error: 'a list of selectors' })
    .max(MAX_SELECTORS, { error: `at most ${MAX_SELECTORS} selectors` })
    .default([])
    .describe('Which labels a request may name together.'),
  fallback: fallback
    .default('none')
    .describe(
      'For a subset that has nobody to offer. `none`: the request fails. `any`: anyone serves it. `default`: the default subset does.',
    ),
  default: labels
    .optional()
    .describe('Labels of the subset of requests that name none. Left out: everyone.'),
})
  .refine(
    (value) =>
      value.default !== undefined ||
      ![value, ...value.selectors].some((part) => part.fallback === 'default'),
    { path: ['default'], error: "labels, because a fallback is 'default'" },
  )
  .transform((value) => ({
    ...value,
    selectors: value.selectors.map(({ keys, fallback: own }) => ({
      keys: [...new Set(keys)].sort(),
      fallback: own ?? value.fallback,
    })),
  }));

const side = object({
  subset: labels.optional().describe('Labels of its endpoints. Left out: everyone.'),
  weight: number({ min: 0, max: MAX_WEIGHT }).describe(
    'Part of the requests, relative to the other sides.',
  ),
});

/** Names and sides of a split. */
const sides = z
  .record(text(128), side, { error: 'an object of names and sides' })
  .refine((value) => countOf(value) >= 1 && countOf(value) <= MAX_SIDES, {
    error: `1 to ${MAX_SIDES} sides`,
  })
  .refine((value) => Object.values(value).some(({ weight }) => weight > 0), {
    error: 'a side with a weight above 0',
  });

const aperture = object({
  kind: oneOf(['deterministic', 'rendezvous'])
    .default('deterministic')
    .describe(
      '`deterministic`: an arc of a circle that all clients divide. `rendezvous`: its own.',
    ),
  size: integer({ min: MIN_APERTURE, max: 65_536 })
    .default(MIN_APERTURE)
    .describe('Endpoints to use at least, in each priority level, zone and subset.'),
  index: integer({ min: 0, max: MAX_PEERS - 1 })
    .optional()
    .describe('Number of this client among its peers, from 0. Left out: found by `peers.self`.'),
  count: integer({ min: 1, max: MAX_PEERS })
    .optional()
    .describe('Number of peers, this client included. Left out: that of `peers`.'),
  seed: text()
    .optional()
    .describe('Name of this client, for `rendezvous`. Left out: other endpoints at every start.'),
}).refine(
  ({ index, count }) =>
    (index === undefined) === (count === undefined) && (index ?? 0) < (count ?? 1),
  { path: ['index'], error: 'an index below the count, both or neither' },
);

const slowStart = object({
  windowMs: durationMs({ min: 1_000, max: 3_600_000 })
    .default(60_000)
    .describe('How long an endpoint that is new or back takes to get its full weight.'),
  aggression: number({ min: 0.1, max: 10 })
    .default(1)
    .describe('Above 1 the weight grows fast at first, below 1 late. 1: evenly.'),
  minWeightPercent: number({ min: 1, max: 100 })
    .default(10)
    .describe('Part of the weight to begin with.'),
});

/**
 * Schema of the option `topology`.
 *
 * @param hashKeySource schema of the place of an affinity key in a request, which belongs to the policies
 */
export function topologySchema(hashKeySource: z.ZodType<HashKeySource>): z.ZodType<TopologyConfig> {
  return object({
    locality: locality.optional().describe('Where this client stands, as the endpoints write it.'),
    overprovisioningFactor: number({ min: 1, max: 10 })
      .default(DEFAULT_OVERPROVISIONING_FACTOR)
      .describe('A priority level or zone keeps its traffic while 1 / factor of it is healthy.'),
    peers: peers
      .optional()
      .describe('The instances of this client: exactly one of counts, endpoints and cluster.'),
    zoneAware: zoneAware
      .optional()
      .describe('Prefer the own zone as far as that loads all endpoints alike. Left out: off.'),
    localityWeights: localityWeights
      .optional()
      .describe('Divide the traffic between zones; those not listed are a reserve. Left out: off.'),
    subsets: subsets
      .optional()
      .describe('Let requests choose endpoints by their metadata. Left out: off.'),
    split: object({
      sides: sides.describe('The sides by name.'),
      hashKey: hashKeySource
        .optional()
        .describe('Where clients find the key that binds a request to a side.'),
    })
      .optional()
      .describe('Divide the requests that name no subset: canary, A/B. Left out: off.'),
    aperture: aperture
      .optional()
      .describe('Use a bounded part of a large cluster. Left out: all of it.'),
    slowStart: slowStart
      .optional()
      .describe('Let endpoints that are new or back warm up. Left out: off.'),
  })
    .transform((value) => ({ ...value, locality: value.locality ?? UNKNOWN_LOCALITY }))
    .superRefine((value, context) => {
      for (const { path, message } of problemsOf(value)) {
        context.addIssue({ code: 'custom', path: [path], message });
      }
    });
}

/** Rules across options. */
function problemsOf(config: TopologyConfig): { readonly path: string; readonly message: string }[] {
  const { zoneAware: aware, aperture: bounded, peers: known } = config;
  const problems: { path: string; message: string }[] = [];
  if (aware !== undefined && zoneOf(config.locality) === '') {
    problems.push({ path: 'locality', message: 'a zone, because of zoneAware' });
  }
  if (aware !== undefined && known === undefined) {
    problems.push({ path: 'peers', message: 'the peers of this client, because of zoneAware' });
  }
  if (aware !== undefined && config.localityWeights !== undefined) {
    problems.push({ path: 'localityWeights', message: 'nothing beside zoneAware' });
  }
  const isPlaced = bounded?.index !== undefined || known?.self !== undefined;
  if (bounded?.kind === 'deterministic' && !isPlaced) {
    const message = "index and count, peers.self, or the kind 'rendezvous'";
    problems.push({ path: 'aperture', message });
  }
  return problems;
}

function countOf(value: object): number {
  return Object.keys(value).length;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function hasMethods(value: Readonly<Record<string, unknown>>): boolean {
  return typeof value['snapshot'] === 'function' && typeof value['subscribe'] === 'function';
}
