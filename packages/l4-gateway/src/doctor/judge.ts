/** From facts to findings. Each rule says what to type. */
import { isIPv6 } from 'node:net';
import { overheadOf } from '../forwarder/forward-mode.ts';
import type { ClusterFacts, Facts, InterfaceFacts } from './facts.ts';
import { advice, failure, type Finding, ok, warning } from './finding.ts';

/** Drivers with XDP of their own in kernels from 5.15 on, as far as they can transmit (XDP_TX). */
const NATIVE_DRIVERS: ReadonlySet<string> = new Set([
  ...['bnxt_en', 'bonding', 'cxgb4', 'ena', 'enetc', 'fec', 'gve', 'hv_netvsc', 'i40e', 'ice'],
  ...['igb', 'igc', 'ixgbe', 'ixgbevf', 'mana', 'mlx4_en', 'mlx5_core', 'mvneta', 'mvpp2', 'nfp'],
  ...[
    'octeontx2',
    'qede',
    'sfc',
    'stmmac',
    'thunder-nicvf',
    'tun',
    'veth',
    'virtio_net',
    'xen_netfront',
  ],
]);

/** What clients send, unless their own link is smaller. */
const CLIENT_MTU = 1_500;

export function judge(facts: Facts): Finding[] {
  return [
    ...judgeKernel(facts),
    ...facts.interfaces.flatMap((one) => judgeInterface(one, facts)),
    ...judgeAddresses(facts),
    ...judgeOwner(facts),
    ...(facts.clusters ?? []).flatMap(judgeCluster),
    ...judgeElsewhere(facts),
  ];
}

function judgeKernel({ features }: Facts): Finding[] {
  const { missingCapabilities, programs, maps, jit, bpffs, kernel } = features;
  const findings: Finding[] = [];
  if (missingCapabilities.length > 0) {
    const names = missingCapabilities.map((name) => `CAP_${name}`).join(', ');
    findings.push(
      failure(
        'capabilities',
        `this process lacks ${names}`,
        'sudo evenkeel-gateway ...',
        'setcap cap_bpf,cap_net_admin,cap_perfmon+ep "$(command -v node)"   # or AmbientCapabilities= of a systemd unit',
      ),
    );
    // Without them nothing else about BPF can be found out.
    return findings;
  }
  findings.push(ok('capabilities', 'CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are there'));
  const lacking = [
    ...Object.entries({ xdp: programs.xdp }),
    ...Object.entries({ array: maps.array, hash: maps.hash, 'percpu-array': maps['percpu-array'] }),
  ].flatMap(([name, { supported, reason }]) => (supported ? [] : [`${name}: ${reason ?? ''}`]));
  findings.push(
    lacking.length === 0
      ? ok('kernel', `Linux ${kernel} has what the program takes`)
      : failure(
          'kernel',
          `Linux ${kernel} lacks ${lacking.join('; ')}`,
          'uname -r   # 5.15 or later is needed',
        ),
  );
  findings.push(
    judgeJit(jit),
    bpffs.supported
      ? ok('bpffs', 'a BPF file system is mounted')
      : warning(
          'bpffs',
          'no BPF file system is mounted: the gateway mounts one, which other mount namespaces do not see',
          'mount -t bpf bpf /sys/fs/bpf',
        ),
  );
  return findings;
}

/** The setting exists in the first network namespace alone; elsewhere it cannot be read, and is what it is there. */
function judgeJit({ supported, reason = '' }: Facts['features']['jit']): Finding {
  if (supported) return ok('jit', 'programs run as machine code');
  const cure = 'sysctl -w net.core.bpf_jit_enable=1';
  return reason.includes('cannot be read')
    ? advice('jit', `whether programs run as machine code cannot be seen from here`, cure)
    : warning('jit', `programs are interpreted, ten times slower: ${reason}`, cure);
}

function judgeInterface(facts: InterfaceFacts, all: Facts): Finding[] {
  const { name, info, hasXdp, isOurs } = facts;
  if (info === undefined) {
    return [
      failure(
        'interface',
        `there is no interface ${name} in this network namespace`,
        'ip -br link show',
      ),
    ];
  }
  const findings: Finding[] = [];
  if (!info.isUp)
    findings.push(failure('interface', `${name} is down`, `ip link set dev ${name} up`));
  else if (!info.isRunning) {
    findings.push(
      failure(
        'interface',
        `${name} is up and has no carrier: cable, or the other end`,
        `ip -s link show dev ${name}`,
      ),
    );
  } else findings.push(ok('interface', `${name} is up, MTU ${info.mtu}`));
  if (hasXdp === true && !isOurs) {
    findings.push(
      failure(
        'attachment',
        `another XDP program is attached to ${name}`,
        `bpftool net show dev ${name}`,
        `ip link set dev ${name} xdp off`,
      ),
    );
  }
  return [
    ...findings,
    ...judgeDriver(facts, all),
    ...judgeMtu(facts, all),
    ...judgeNextHop(facts, all),
  ];
}

function judgeDriver({ name, info, peer }: InterfaceFacts, { config }: Facts): Finding[] {
  const { driver, offloads } = info ?? { driver: undefined, offloads: undefined };
  const findings: Finding[] = [];
  const isGeneric = config.mode === 'generic';
  if (config.mode === 'offload') {
    const what = 'mode is offload, and a program for a card has to be loaded for that card';
    findings.push(failure('driver', what, 'mode: auto   # in the configuration'));
  }
  if (driver === undefined || !NATIVE_DRIVERS.has(driver)) {
    const what = `the driver of ${name} (${driver ?? 'unknown'}) is not known for XDP of its own`;
    if (config.mode === 'native') {
      findings.push(
        failure('driver', `${what}, and mode is native`, 'mode: generic   # in the configuration'),
      );
    } else if (!isGeneric) {
      findings.push(
        warning(
          'driver',
          `${what}: the program will run behind the kernel's receive path, several times slower`,
        ),
      );
    }
  } else findings.push(ok('driver', `${name} is driven by ${driver}, which has XDP of its own`));
  if (offloads?.lro === true) {
    findings.push(
      warning(
        'offload',
        `${name} joins received packets (LRO), which XDP cannot forward`,
        `ethtool -K ${name} lro off`,
      ),
    );
  }
  if (isGeneric && offloads?.gro === true) {
    findings.push(
      warning(
        'offload',
        `${name} joins received packets (GRO), and in generic mode those are too large to forward`,
        `ethtool -K ${name} gro off`,
      ),
    );
  }
  return driver === 'veth' ? [...findings, ...judgeVeth(name, peer, isGeneric)] : findings;
}

function judgeVeth(name: string, peer: InterfaceFacts['peer'], isGeneric: boolean): Finding[] {
  if (peer === undefined) {
    return [
      advice(
        'veth',
        `${name} is one end of a virtual cable, and the other end was not found: it needs an XDP program of its own, and no checksum offload`,
        'ethtool -K PEER tx off   # where the other end is',
      ),
    ];
  }
  const { info, namespace, hasXdp } = peer;
  const at = namespace === undefined ? '' : `nsenter --net=/run/netns/${namespace} `;
  const findings: Finding[] = [];
  const what = `the other end of ${name}, ${info.name}${namespace === undefined ? '' : ` in ${namespace}`},`;
  if (hasXdp === false && !isGeneric) {
    findings.push(
      failure(
        'veth',
        `${what} has no XDP program: what is sent from here is lost there`,
        `${at}ip link set dev ${info.name} xdp object pass.o section xdp   # any program that returns XDP_PASS`,
        'mode: generic   # in the configuration, instead',
      ),
    );
  } else if (hasXdp === true) findings.push(ok('veth', `${what} has an XDP program`));
  if (info.offloads.txChecksum === true) {
    findings.push(
      failure(
        'checksum',
        `${what} leaves checksums to hardware that is not there: packets are forwarded without one`,
        `${at}ethtool -K ${info.name} tx off`,
      ),
    );
  } else findings.push(ok('checksum', `${what} fills in checksums`));
  return findings;
}

/** Bytes that the largest outer header takes: more where an endpoint may have an IPv6 address. */
function overhead({ config, clusters }: Facts): number {
  const written = [...config.clusters.values()].map(({ discovery }) => JSON.stringify(discovery));
  const reals = (clusters ?? []).flatMap(({ reals: own }) => own.map(({ address }) => address));
  const isSix =
    reals.some((address) => isIPv6(address)) || written.some((text) => text?.includes('"['));
  return Math.max(0, ...config.vips.map(({ forward }) => overheadOf(forward, isSix ? 6 : 4)));
}

function judgeMtu({ name, info }: InterfaceFacts, facts: Facts): Finding[] {
  if (info === undefined) return [];
  const mtu = facts.config.mtu === 'auto' ? info.mtu : facts.config.mtu;
  const added = overhead(facts);
  const findings: Finding[] = [];
  if (mtu > info.mtu) {
    findings.push(
      failure(
        'mtu',
        `mtu is ${mtu} and ${name} carries ${info.mtu}`,
        `ip link set dev ${name} mtu ${mtu}`,
        'mtu: auto   # in the configuration',
      ),
    );
  }
  const needed = CLIENT_MTU + added;
  if (mtu < needed) {
    findings.push(
      warning(
        'mtu',
        `packets of ${CLIENT_MTU} bytes become ${needed} towards the reals, and ${mtu} is the most: small requests work, uploads stall`,
        `ip link set dev ${name} mtu 1600   # and on the router and the reals, where the link carries it`,
        `ip route change default ... advmss ${mtu - added - 40}   # else: on the reals`,
      ),
    );
  } else findings.push(ok('mtu', `${name} carries what clients send with the outer header`));
  return findings;
}

function judgeNextHop(
  { name, info, router, routerMac }: InterfaceFacts,
  { config }: Facts,
): Finding[] {
  if (config.nextHop !== 'auto' || info === undefined) return [];
  if (router === undefined) {
    return [
      failure(
        'route',
        `nextHop is auto, and there is no IPv4 default route through a router on ${name}`,
        `ip route add default via ROUTER dev ${name}`,
        'nextHop: 02:00:00:00:00:01   # in the configuration, instead',
      ),
    ];
  }
  if (routerMac !== undefined) return [ok('neighbour', `the router ${router} is at ${routerMac}`)];
  return [
    failure(
      'neighbour',
      `the router ${router} does not answer on ${name}`,
      `ip neigh show dev ${name}`,
      `ping -c 1 ${router}`,
    ),
  ];
}

function judgeAddresses({ config, localAddresses, isForwarding }: Facts): Finding[] {
  const findings: Finding[] = [];
  for (const address of new Set(config.vips.map((vip) => vip.address))) {
    const name = localAddresses.get(address);
    if (name === undefined) continue;
    findings.push(
      warning(
        'vip',
        `the VIP ${address} is an address of this machine (${name}): it belongs to the reals, and while the program is not attached this machine answers for it`,
        `ip address del ${address} dev ${name}`,
      ),
    );
  }
  if (findings.length === 0) findings.push(ok('vip', 'no VIP is an address of this machine'));
  if (isForwarding) {
    findings.push(
      advice(
        'forwarding',
        'net.ipv4.ip_forward is 1, which the gateway has no need of: while the program is not attached, packets for VIPs go back to the router, in circles',
        'sysctl -w net.ipv4.ip_forward=0',
      ),
    );
  }
  return findings;
}

function judgeOwner({ owner, config: { name } }: Facts): Finding[] {
  if (owner === undefined) return [];
  if (owner.alive) return [ok('process', `process ${owner.pid} runs gateway "${name}"`)];
  return [
    warning(
      'process',
      `the process of gateway "${name}" is gone, and its program forwards without health checks`,
      'evenkeel-gateway run --config FILE   # takes over',
      `evenkeel-gateway detach --name ${name}   # ends it`,
    ),
  ];
}

function judgeCluster({ name, ready, hasChecks, reals }: ClusterFacts): Finding[] {
  if (!ready) return [failure('cluster', `cluster ${name}: discovery has delivered nothing`)];
  if (reals.length === 0) return [failure('cluster', `cluster ${name} has no endpoints`)];
  const findings = reals
    .filter(({ state }) => state === 'unhealthy')
    .map(({ address, reason }) =>
      warning(
        'real',
        `cluster ${name}: ${address} fails its checks: ${reason}`,
        `ping -c 1 ${address}`,
      ),
    );
  if (!hasChecks) {
    findings.push(
      warning(
        'health',
        `cluster ${name} has no health checks: a dead real keeps its share of the flows`,
        `health: { tcp: { interval: 1s } }   # in the configuration`,
      ),
    );
  }
  const good = reals.filter(({ state }) => state === 'healthy').length;
  if (good > 0 || findings.length === 0)
    findings.push(ok('cluster', `cluster ${name}: ${good} of ${reals.length} reals are healthy`));
  else findings.push(failure('cluster', `cluster ${name} has no healthy real`));
  return findings;
}

/** What is decided on other machines, and goes wrong as often. */
function judgeElsewhere({ config }: Facts): Finding[] {
  const [vip] = config.vips;
  if (vip === undefined) return [];
  // Reals of NAT need nothing but a way back.
  const direct = config.vips.find(({ forward }) => forward !== 'nat');
  if (direct === undefined) {
    return config.nat === undefined
      ? []
      : [
          advice(
            'router',
            'on the router: a route for each VIP, and for each address of nat, to this machine',
            ...[vip.address, ...config.nat.addresses].map(
              (address) => `ip route add ${address} via ADDRESS-OF-THIS-MACHINE`,
            ),
          ),
        ];
  }
  return [
    advice(
      'router',
      'on the router: a route for each VIP to this machine, and no reverse path filter, because the source of the tunnels is routed nowhere',
      `ip route add ${vip.address} via ADDRESS-OF-THIS-MACHINE`,
      'sysctl -w net.ipv4.conf.all.rp_filter=0   # and conf.INTERFACE.rp_filter: the larger one counts',
    ),
    advice(
      'reals',
      'on the reals: the VIP on lo, ARP rules, and something that takes the outer header off',
      `evenkeel-gateway real --vip ${direct.address} --interface eth0`,
    ),
  ];
}
