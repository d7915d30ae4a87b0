/** Where the connections of a listener go. */
import { ServerNameIndex } from '../tls/server-name-index.ts';
import type { ClaimTarget } from './claim.ts';

export interface NamedTarget {
  /** `a.example`, `*.b.example`. */
  readonly names: readonly string[];
  readonly target: ClaimTarget;
}

export interface TcpTargets {
  /** By the name that TLS clients ask for; undefined when nobody looks for it. */
  readonly byName: ServerNameIndex<ClaimTarget> | undefined;
  /** For everyone else, and for those who ask for no name or an unknown one. */
  readonly byDefault: ClaimTarget | undefined;
}

export function nameIndexOf(named: readonly NamedTarget[]): ServerNameIndex<ClaimTarget> {
  const index = new ServerNameIndex<ClaimTarget>();
  for (const { names, target } of named)
    for (const name of names) index.add(name.toLowerCase(), target);
  return index;
}
