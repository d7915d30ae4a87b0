/** Where the connections of a listener go. */
import { ServerNameIndex } from '../tls/server-name-index.ts';
import type { ClaimTarget } from './claim.ts';
import type { Dialer } from './dialer.ts';

/** A cluster, and how its endpoints are reached. */
export interface TcpTarget extends ClaimTarget {
  readonly dialer: Dialer;
}

export interface NamedTarget {
  /** `a.example`, `*.b.example`. */
  readonly names: readonly string[];
  readonly target: TcpTarget;
}

export interface TcpTargets {
  /** By the name that TLS clients ask for; undefined when nobody looks for it. */
  readonly byName: ServerNameIndex<TcpTarget> | undefined;
  /** For everyone else, and for those who ask for no name or an unknown one. */
  readonly byDefault: TcpTarget | undefined;
}

export function nameIndexOf(named: readonly NamedTarget[]): ServerNameIndex<TcpTarget> {
  const index = new ServerNameIndex<TcpTarget>();
  for (const { names, target } of named)
    for (const name of names) index.add(name.toLowerCase(), target);
  return index;
}
