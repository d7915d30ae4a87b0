/** A proxy, as its user sees it. */
import type { ProxyOptions } from '../config/options.ts';
import type { ProxyStats } from '../observability/proxy-stats.ts';
import type { ApplyReport } from './apply-report.ts';
import type { FilterReport } from './filter-plan.ts';
import type { CertificateStatus, ListenerCertificates } from './certificates.ts';
import type { ExplainedRequest, RequestExplanation } from './explain-request.ts';
import type { TcpStats, UdpStats } from './layer4.ts';

export interface Proxy {
  /** Where each listener listens, in the order of the options. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** What the proxy counts, at this moment. */
  readonly stats: ProxyStats & Layer4Stats;
  /** Those that listeners show, in the order of the options. */
  readonly certificates: readonly CertificateStatus[];
  /** What is in force, as it was written. Holds secrets; take them out before it is shown. */
  readonly options: ProxyOptions;
  /** Is it draining, or closing? */
  readonly isDraining: boolean;
  /** How filters stand, those of listeners and of routes, in the order of the options. */
  readonly filters: readonly FilterReport[];
  /**
   * Which route, cluster and endpoint a request would get, and why. Nothing is sent, and nothing changes.
   *
   * @throws ConfigError when there is no such listener, or none for requests
   */
  explain(request: ExplainedRequest): RequestExplanation;
  /**
   * Goes on accepting, but every connection ends with its next response, so that clients go elsewhere: what to do before
   * {@link close}, while a load balancer in front learns of it. Idempotent; there is no way back.
   */
  drain(): void;
  /**
   * Takes over other options, without dropping a connection. Everything is checked, every file read and every new port
   * bound first; then all changes at once. Requests under way finish under the options that they began with.
   *
   * Listeners of the same kind and address keep their socket and their connections; removed ones accept nobody any
   * more, and their connections close with the next response, or when none was asked for within 5 s. Further calls wait
   * for those before them.
   *
   * @returns what has changed, once it is in force
   * @throws ConfigError naming everything that is wrong, or EvenkeelError `EVENKEEL_CLOSED`; the old options stay then
   */
  apply(options: ProxyOptions, how?: ApplyOptions): Promise<ApplyReport>;
  /**
   * Reads all files with certificates and keys anew, those for endpoints included, and takes them over in one step for
   * connections that are made from then on. Connections stay as they are; clients may resume their sessions, unless
   * `clientCa` has changed.
   *
   * @param others instead of what these listeners were given so far; the way to change PEM text
   * @throws ConfigError naming everything that is wrong; all that was in force stays then
   */
  reloadCertificates(others?: readonly ListenerCertificates[]): Promise<void>;
  /**
   * Accepts nobody any more, lets requests under way finish for up to `drainTimeoutMs`, then cuts them off. The clusters
   * stay open. Idempotent.
   */
  close(options?: { readonly drainTimeoutMs?: number | undefined }): Promise<void>;
}

export interface ApplyOptions {
  /** How long connections of removed listeners may last, in milliseconds. Default 30,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** What the options are called in errors. Default `apply`. */
  readonly path?: string | undefined;
}

/** Of listeners that pass on bytes and datagrams. */
export interface Layer4Stats {
  readonly tcp: TcpStats;
  readonly udp: UdpStats;
}
