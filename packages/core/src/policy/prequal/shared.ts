import type { LoadTable } from '../../model/load-table.ts';
import type { Random } from '../../runtime/random.ts';
import type { Prober } from '../probing.ts';
import type { PrequalConfig } from './config.ts';
import type { EndpointMemory } from './endpoint-memory.ts';

/** What all groups of a balancer have in common. */
export interface PrequalShared {
  readonly config: PrequalConfig;
  readonly load: LoadTable;
  readonly random: Random;
  readonly memory: EndpointMemory;
  /** Undefined: endpoints cannot be asked, only load reports tell of them. */
  readonly prober: Prober | undefined;
  readonly counters: PrequalCounters;
}

/** What happened so far; the names are those of the statistics. */
export interface PrequalCounters {
  probeCount: number;
  probeAnswerCount: number;
  probeFailureCount: number;
  /** Probes that the prober did not send, because too many were under way. */
  probeDeclinedCount: number;
  /** Load reports that came with answers and were taken into the pool. */
  usedReportCount: number;
  /** Those without the requests in flight, or of nobody's concern. */
  unusedReportCount: number;
  /** Picks by answers in the pool. */
  pooledPickCount: number;
  /** Picks without enough answers in the pool. */
  fallbackPickCount: number;
  /** Of the picks by answers those that found all endpoints in the pool hot. */
  hotPickCount: number;
}
