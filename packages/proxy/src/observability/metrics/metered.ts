/** What metrics use of a proxy, of its certificates, and of the file that it is configured by. */
import type { ProxyStats } from '../proxy-stats.ts';
import type { TcpCounters } from '../../tcp/tcp-counters.ts';
import type { UdpCounters } from '../../udp/udp-counters.ts';

interface Layer4Part<Counters> {
  readonly activeCount: number;
  readonly counters: Readonly<Counters>;
}

/** A `Proxy`. What is left out has no metrics. */
export interface MeteredProxy {
  readonly stats: ProxyStats & {
    readonly tcp?: Layer4Part<TcpCounters>;
    readonly udp?: Layer4Part<UdpCounters>;
  };
  readonly isDraining?: boolean;
  readonly certificates?: readonly MeteredCertificate[];
}

export interface MeteredCertificate {
  readonly names: readonly string[];
  readonly validTo: Date;
}

/** A `ProxyFile`, whose proxy is metered with it. */
export interface MeteredFile {
  readonly proxy: MeteredProxy;
  readonly status: MeteredFileStatus;
}

export interface MeteredFileStatus {
  readonly path: string;
  readonly generation: number;
  /** In milliseconds since 1970. */
  readonly appliedAtMs: number;
  readonly lastError: Error | undefined;
}
