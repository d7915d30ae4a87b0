import { spawnSync } from 'node:child_process';
import {
  type InterfaceInfo,
  interfaceName,
  interfaceStatistics,
  readInterface,
} from './interface.ts';
import { inNamespace, namedNamespaces } from './namespace.ts';

/** The other end of a virtual cable. */
export interface VethPeer {
  readonly info: InterfaceInfo;
  /** Name of its namespace; undefined: this one. */
  readonly namespace: string | undefined;
  /** Has it an XDP program? Undefined when that could not be found out. */
  readonly hasXdp: boolean | undefined;
}

/** Undefined when it is in a namespace without a name, or there is none. */
export function vethPeer(own: InterfaceInfo): VethPeer | undefined {
  const index = peerIndex(own.name);
  if (index === undefined) return undefined;
  const look = (namespace: string | undefined): VethPeer | undefined => {
    const name = interfaceName(index);
    // Indexes are each namespace's own; only the two ends name each other.
    if (name === undefined || peerIndex(name) !== own.index) return undefined;
    const info = readInterface(name);
    return info && { info, namespace, hasXdp: hasXdp(name) };
  };
  const named = peerNamespace(own.name);
  if (named !== undefined) return inNamespace(named, () => look(named));
  const candidates = namedNamespaces().flatMap((name) => inNamespace(name, () => look(name)) ?? []);
  const here = look(undefined);
  if (here !== undefined) return here;
  // Namespaces that were laid out alike have the same indexes; then it could be any of them.
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Where the other end is, by what `ip` prints: the kernel knows a number for it, and `ip` the name. */
function peerNamespace(name: string): string | undefined {
  const { stdout } = spawnSync('ip', ['link', 'show', 'dev', name], {
    encoding: 'utf8',
    timeout: 5_000,
  });
  return /link-netns (\S+)/u.exec(stdout ?? '')?.[1];
}

function peerIndex(name: string): number | undefined {
  const index = interfaceStatistics(name).get('peer_ifindex');
  return index === undefined ? undefined : Number(index);
}

/** Is an XDP program attached, by whatever means? Asks `ip`, because only netlink tells; undefined without it. */
export function hasXdp(name: string): boolean | undefined {
  const { status, stdout } = spawnSync('ip', ['-j', 'link', 'show', 'dev', name], {
    encoding: 'utf8',
    timeout: 5_000,
  });
  if (status !== 0) return undefined;
  try {
    const [link] = JSON.parse(stdout) as { xdp?: unknown }[];
    return link !== undefined && link.xdp !== undefined;
  } catch {
    return undefined;
  }
}
