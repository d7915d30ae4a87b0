/** The schema of a gateway's file: the authority for what is accepted, for JSON Schema and for the reference. */
import type { DiscoverySource } from '@evenkeel/core';
import { clusterEntrySchema } from '@evenkeel/core/config';
import { durationMs, flag, integer, object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { GuardOptions, GuardRules } from '../forwarder/guard-options.ts';
import type { NextOptions } from '../forwarder/next-slot.ts';
import type { GatewayVip, NatConfig } from './gateway-options.ts';

const DAY_MS = 86_400_000;
/** Numbers that the program has for VIPs. */
const MAX_VIPS = 1_023;

const MAC_ERROR = 'an Ethernet address like 02:00:00:00:00:01, or auto';
const mac = z.string({ error: MAC_ERROR }).regex(/^(auto|[\da-f]{2}(:[\da-f]{2}){5})$/iu, {
  error: MAC_ERROR,
});

/** `127.0.0.1:9902`, `[::1]:9902`; its parts are host, brackets included, and port. */
export const LISTEN: RegExp = /^(\[[\da-f:.]+\]|[^:\s[\]]+):(\d{1,5})$/iu;
const LISTEN_ERROR = 'an address and a port, 127.0.0.1:9902';

const INTERFACE_ERROR = 'the name of a network interface, up to 15 characters';
// IFNAMSIZ of <linux/if.h>, the terminating zero included.
const interfaceName = z
  .string({ error: INTERFACE_ERROR })
  .regex(/^[^\s/:]{1,15}$/u, { error: INTERFACE_ERROR });

const PORT_ERROR = 'an integer from 1 to 65535, or any';
const timeout = (defaultMs: number): z.ZodDefault<z.ZodNumber> =>
  durationMs({ min: 1_000, max: 28_800_000 }).default(defaultMs);

const rate = object({
  perSecond: integer({ min: 1, max: 100_000_000 }).describe('How often, on each CPU by itself.'),
  burst: integer({ min: 1, max: 100_000_000 })
    .optional()
    .describe(
      'How many at once after a pause. Left out: those of a tenth of a second, at least 10.',
    ),
});
const limitsSchema = object({
  packets: rate.optional().describe('Every packet. Left out: no limit.'),
  newFlows: rate.optional().describe('Packets of flows that are not known. Left out: no limit.'),
});
const prefixes = (): z.ZodDefault<z.ZodArray<z.ZodString>> =>
  z.array(text(64), { error: 'a list of prefixes' }).default([]);

const guardSchema = object({
  everyPacket: flag()
    .default(true)
    .describe('Looks at every packet, which `deny`, `allow` and limits of packets take.'),
  trackedSources: integer({ min: 1_024, max: 16_777_216 })
    .default(65_536)
    .describe('Sources that each CPU knows by their limits, 32 bytes each.'),
  deny: prefixes().describe('Sources that are dropped. The longest prefix that fits counts.'),
  allow: prefixes().describe('Sources that come in.'),
  others: oneOf(['allow', 'deny']).default('allow').describe('Sources that neither list mentions.'),
  perSource: limitsSchema
    .prefault({})
    .describe('What each source may send: an IPv4 address, an IPv6 network of 64 bits.'),
});

const natTimeout = (defaultMs: number): z.ZodDefault<z.ZodNumber> =>
  durationMs({ min: 1_000, max: 7 * DAY_MS }).default(defaultMs);

const vipSchema = object({
  address: text(64).describe(
    'What clients connect to: an IPv4 or IPv6 address, or a prefix: `198.51.100.0/24`.',
  ),
  port: z
    .union([z.literal('any'), integer({ min: 1, max: 65_535 })], { error: PORT_ERROR })
    .describe('Port that clients connect to; `any`: all that no other VIP has.'),
  protocol: oneOf(['tcp', 'udp', 'any'])
    .default('tcp')
    .describe('Protocol of the flows; `any`, with all ports: every one but ICMP.'),
  cluster: text(253).describe('Name of the cluster whose endpoints are the reals.'),
  forward: oneOf(['ipip', 'gue', 'gre', 'l2', 'nat'])
    .default('ipip')
    .describe(
      'How packets get to the reals: in an outer header that they take off (`ipip`, `gue`, `gre`), to their Ethernet addresses (`l2`), or translated (`nat`).',
    ),
  guePort: integer({ min: 1, max: 65_535 }).default(6_080).describe('UDP port of `gue`.'),
  hash: oneOf(['5-tuple', 'no-source-port', 'destination-port', 'source', 'source-destination'])
    .default('5-tuple')
    .describe('What places a flow: flows that are equal in it get the same real.'),
  fragments: oneOf(['drop', 'three-tuple'])
    .default('drop')
    .describe('`three-tuple` places all by addresses and protocol, so that fragments follow.'),
  options: oneOf(['drop', 'forward'])
    .default('drop')
    .describe('What becomes of packets with IPv4 options or IPv6 extension headers.'),
  echo: oneOf(['answer', 'drop'])
    .default('answer')
    .describe('What becomes of echo requests (ping) for the address.'),
  quic: object({
    serverIdBytes: integer({ min: 1, max: 8 }).describe(
      'Octets of a connection id, after the first, that name the real: its label `serverId`.',
    ),
  })
    .optional()
    .describe('Packets of QUIC follow their connection id. Left out: they follow their addresses.'),
  deadReals: oneOf(['rehash', 'keep', 'reset'])
    .default('rehash')
    .describe(
      'Flows of a real that fails its checks: placed anew, left there, or answered with a reset.',
    ),
  flowTimeouts: object({
    tcpMs: timeout(9_000_000).describe('TCP.'),
    closingMs: timeout(30_000).describe('TCP after a FIN or RST of the client.'),
    udpMs: timeout(60_000).describe('UDP and everything else.'),
  })
    .prefault({})
    .describe('Flows that have been silent for so long are placed anew.'),
  drainTimeoutMs: durationMs({ min: 0, max: DAY_MS })
    .default(300_000)
    .describe('How long flows of a real that left the cluster may go on there.'),
  limits: limitsSchema
    .prefault({})
    .describe('How much the VIP takes; needs `guard`. Left out: everything.'),
  sourceRoutes: z
    .array(
      object({
        sources: z
          .array(text(64), { error: 'a list of prefixes' })
          .min(1, { error: 'at least one prefix' })
          .describe('Networks: `10.0.0.0/8`. The longest prefix that fits counts.'),
        cluster: text(253).describe('Name of their cluster.'),
      }),
      { error: 'a list of routes' },
    )
    .default([])
    .describe('Other clusters for clients from some networks.'),
});

/** Options of clusters that are about requests, of which a gateway sees none. */
const NOT_HERE: readonly string[] = ['policy', 'outlierDetection', 'admission', 'drain'];

function clusterSchema(sources: readonly DiscoverySource[]): z.ZodType {
  const { shape } = clusterEntrySchema(sources) as z.ZodObject;
  const kept = Object.entries(shape).filter(([name]) => !NOT_HERE.includes(name));
  return object(Object.fromEntries(kept)).meta({ title: 'A cluster behind the gateway' });
}

/** @param sources kinds of discovery from other entries that clusters may name */
export function gatewaySchema(sources: readonly DiscoverySource[] = []): z.ZodType<GatewayShape> {
  return object({
    name: z
      .string()
      .regex(/^[\w-]{1,64}$/u, { error: 'up to 64 letters, digits, "_" or "-"' })
      .default('edge')
      .describe('Names what the gateway leaves in the kernel: one for each gateway of a machine.'),
    interface: z
      .union([interfaceName, z.array(interfaceName).min(1).max(16)], {
        error: 'the name of a network interface, or a list of names',
      })
      .describe('Where packets for the VIPs come in; they leave where they came in.'),
    mode: oneOf(['auto', 'native', 'generic', 'offload'])
      .default('auto')
      .describe('How XDP is attached: `auto` is in the driver where it can, else generic.'),
    nextHop: mac
      .default('auto')
      .describe('Ethernet address of the router to the reals; `auto`: of the default route.'),
    mtu: z
      .union([z.literal('auto'), integer({ min: 576, max: 9_000 })], {
        error: 'an integer from 576 to 9000, or auto',
      })
      .default('auto')
      .describe('Largest packet towards the reals; `auto`: the MTU of the interface.'),
    flowsPerCpu: integer({ min: 4_096, max: 16_777_216 })
      .default(262_144)
      .describe('Flows that each CPU remembers, 16 bytes each.'),
    ringSeed: integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
      .default(0)
      .describe('Base of the hash that places flows: equal on all gateways for a VIP.'),
    outerSource: object({
      ipv4: text(15).optional().describe('A network of 16 bits. Left out: 172.16.0.0.'),
      ipv6: text(45).optional().describe('A network of 96 bits. Left out: 100::.'),
    })
      .prefault({})
      .describe('Where the source addresses of the outer headers are taken from.'),
    repliesPerSecond: integer({ min: 0, max: 1_000_000 })
      .default(1_000)
      .describe('Answers of the gateway itself (pings, "too big", resets) a second and CPU.'),
    nat: object({
      addresses: z
        .array(text(45), { error: 'a list of addresses' })
        .min(1, { error: 'at least one address' })
        .describe('Sources towards reals, routed to this gateway and no other.'),
      ports: object({
        first: integer({ min: 1, max: 65_535 }).default(1_024).describe('The first.'),
        last: integer({ min: 1, max: 65_535 }).default(65_535).describe('The last.'),
      })
        .prefault({})
        .describe('Ports of each address: one for each connection at a time.'),
      timeouts: object({
        openingMs: natTimeout(30_000).describe('Until the real has answered.'),
        tcpMs: natTimeout(7_440_000).describe('TCP.'),
        closingMs: natTimeout(60_000).describe('TCP after a reset, or a FIN from both sides.'),
        udpMs: natTimeout(300_000).describe('UDP.'),
      })
        .prefault({})
        .describe('After how much silence a port is free again.'),
    })
      .optional()
      .describe('What `forward: nat` takes. Left out: there is no NAT.'),
    guard: guardSchema
      .optional()
      .describe('Access lists and limits. Left out: there are none, and they cost nothing.'),
    next: object({
      path: text(255).describe('Where the slot for it is pinned: `/sys/fs/bpf/edge_next`.'),
    })
      .optional()
      .describe(
        'A slot for another XDP program, which gets what is left to the host: an interface takes one. Left out: none.',
      ),
    onStop: oneOf(['detach', 'keep'])
      .default('detach')
      .describe(
        'What a stop does: `detach` ends forwarding, `keep` leaves it on for the next process.',
      ),
    admin: object({
      listen: z
        .string({ error: LISTEN_ERROR })
        .regex(LISTEN, { error: LISTEN_ERROR })
        .refine((listen) => Number(LISTEN.exec(listen)?.[2]) <= 65_535, { error: LISTEN_ERROR })
        .describe('Address and port of the HTTP server for status and metrics.'),
      token: text(1_024)
        .optional()
        .describe('What requests have to bring as `authorization: Bearer`. Left out: nothing.'),
    })
      .optional()
      .describe('Status, metrics and health of the gateway over HTTP. Left out: none.'),
    vips: z
      .array(vipSchema, { error: 'a list of VIPs' })
      .max(MAX_VIPS, { error: `at most ${MAX_VIPS} VIPs` })
      .describe('The virtual addresses.'),
    clusters: z
      .record(z.string(), clusterSchema(sources), { error: 'clusters by their names' })
      .describe('The clusters, by name. Options of requests do not exist here.'),
  }) as unknown as z.ZodType<GatewayShape>;
}

/** What {@link gatewaySchema} makes of options in code. */
export interface GatewayShape {
  readonly name: string;
  readonly interface: string | readonly string[];
  readonly mode: 'auto' | 'native' | 'generic' | 'offload';
  readonly nextHop: string;
  readonly mtu: number | 'auto';
  readonly flowsPerCpu: number;
  readonly ringSeed: number;
  readonly outerSource: { readonly ipv4?: string | undefined; readonly ipv6?: string | undefined };
  readonly repliesPerSecond: number;
  readonly nat?: NatConfig | undefined;
  readonly guard?: (Required<GuardOptions> & GuardRules) | undefined;
  readonly next?: NextOptions | undefined;
  readonly onStop: 'detach' | 'keep';
  readonly admin?: { readonly listen: string; readonly token?: string | undefined } | undefined;
  readonly vips: readonly GatewayVip[];
  readonly clusters: Readonly<Record<string, unknown>>;
}
