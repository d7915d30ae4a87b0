import type { EvenkeelError } from '../../error/evenkeel-error.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import type {
  Discovery,
  DiscoveryEnvironment,
  Resolver,
  ResolverStatus,
  WatchStatus,
} from '../resolver.ts';

/** One source of a composition with what it delivered last. */
export class Part {
  readonly resolver: Resolver;
  /** undefined until the first delivery. */
  set: EndpointSet | undefined;
  /** Has it reported any error yet? */
  hasFailed = false;

  constructor(discovery: Discovery, environment: DiscoveryEnvironment) {
    this.resolver = discovery.create(environment);
  }

  /** Starts it; `onChange` follows every delivery, and every error after it was handed to `onError`. */
  start(onChange: () => void, onError: (error: EvenkeelError) => void): void {
    this.resolver.start({
      onEndpoints: (set) => {
        this.set = set;
        onChange();
      },
      onError: (error) => {
        this.hasFailed = true;
        onError(error);
        onChange();
      },
    });
  }
}

/** What the parts' statuses say together. */
export function combineStatus(
  identity: { readonly kind: string; readonly source: string; readonly healthy: boolean },
  parts: readonly ResolverStatus[],
): ResolverStatus {
  const successes = parts.map((part) => part.lastSuccessMs).filter((time) => time !== undefined);
  return {
    ...identity,
    lastSuccessMs: successes.length > 0 ? Math.max(...successes) : undefined,
    lastError: parts.find((part) => part.lastError !== undefined)?.lastError,
    refreshCount: parts.reduce((sum, part) => sum + part.refreshCount, 0),
    errorCount: parts.reduce((sum, part) => sum + part.errorCount, 0),
    parts,
    ...combineWatches(parts.map(({ watch }) => watch).filter((watch) => watch !== undefined)),
  };
}

/** Sums, so that a composition can be measured like the registries it is made of. */
function combineWatches(watches: readonly WatchStatus[]): { readonly watch?: WatchStatus } {
  if (watches.length === 0) return {};
  const sum = (count: (watch: WatchStatus) => number): number =>
    watches.reduce((total, watch) => total + count(watch), 0);
  return {
    watch: {
      resyncCount: sum(({ resyncCount }) => resyncCount),
      silenceCount: sum(({ silenceCount }) => silenceCount),
      guardTripCount: sum(({ guardTripCount }) => guardTripCount),
      heldCount: sum(({ heldCount }) => heldCount),
      restored: watches.some(({ restored }) => restored),
    },
  };
}
