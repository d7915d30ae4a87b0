/** Starts a proxy, and joins its parts. */
import { ConfigError, createRuntime, EvenkeelError, type Runtime } from '@evenkeel/core';
import type { ProxyOptions } from '../config/options.ts';
import { decodeProxyOptions, type ProxyConfig } from '../config/proxy-config.ts';
import { ProxyCounters } from '../engine/counters.ts';
import { DateLine } from '../engine/date-line.ts';
import { RouteMeters } from '../observability/route-meters.ts';
import { Output } from '../socket/output.ts';
import { canRebuildSockets } from '../socket/rebuild-probe.ts';
import { Sweeper } from '../socket/sweeper.ts';
import type { ApplyReport } from './apply-report.ts';
import { withCertificates, certificatesOf, type CertificateStatus } from './certificates.ts';
import type { ListenerCertificates } from './certificates.ts';
import { Configurations } from './configurations.ts';
import {
  type ExplainedRequest,
  explainRequest,
  type RequestExplanation,
} from './explain-request.ts';
import type { ApplyOptions, Layer4Stats, Proxy } from './face.ts';
import { HttpPort } from './http-port.ts';
import type { ProxyStats } from '../observability/proxy-stats.ts';
import { type FilterReport, reportsOf } from './filter-plan.ts';
import { upstreamStatsOf } from './upstreams.ts';

/**
 * Starts a proxy.
 *
 * @returns once all listeners listen
 * @throws ConfigError naming every wrong option, or what listening fails with; nothing is left open then
 */
export async function createProxy(
  options: ProxyOptions,
  ports: Partial<Runtime> = {},
): Promise<Proxy> {
  const { proxy } = await startProxy(options, { path: 'createProxy', ports });
  return proxy;
}

export interface StartedProxy {
  readonly proxy: Proxy;
  readonly report: ApplyReport;
}

/** @param how what the options are called in errors, and what the proxy works with */
export async function startProxy(
  options: ProxyOptions,
  how: { readonly path: string; readonly ports: Partial<Runtime> },
): Promise<StartedProxy> {
  const config = decodeProxyOptions(options, how.path);
  const proxy = new RunningProxy(createRuntime(how.ports), await canRebuildSockets());
  try {
    return { proxy, report: await proxy.start(config, how.path) };
  } catch (error) {
    await proxy.close({ drainTimeoutMs: 0 });
    throw error;
  }
}

const DEFAULT_DRAIN_MS = 30_000;

/** For a connection that has no request, and is to go. */
const DRAIN_IDLE_MS = 5_000;

class RunningProxy implements Proxy {
  readonly #configurations: Configurations;
  /** One change after the other, so that the last one asked for is the one that stays. */
  #changing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined = undefined;
  #isDraining = false;

  constructor(runtime: Runtime, rebuildsSockets: boolean) {
    this.#configurations = new Configurations({
      tools: {
        runtime,
        sweeper: new Sweeper(runtime),
        counters: new ProxyCounters(),
        output: new Output(),
        dateLine: new DateLine(runtime.clock),
      },
      meters: new RouteMeters(),
      rebuildsSockets,
    });
  }

  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.#configurations.ports.map(({ address }) => address);
  }

  get stats(): ProxyStats & Layer4Stats {
    const { tools, meters, layer4, parts, clientCount, droppedLogLineCount } = this.#configurations;
    const upstreams = upstreamStatsOf(parts);
    return {
      clientCount,
      upstreamCount: upstreams.reduce((sum, { connectionCount }) => sum + connectionCount, 0),
      idleUpstreamCount: upstreams.reduce((sum, { idleCount }) => sum + idleCount, 0),
      counters: tools.counters,
      tcp: layer4.tcp,
      udp: layer4.udp,
      routes: meters.all(),
      upstreams,
      droppedLogLineCount,
    };
  }

  get options(): ProxyOptions {
    return this.#configurations.config.options;
  }

  get isDraining(): boolean {
    return this.#isDraining || this.#closing !== undefined;
  }

  explain(request: ExplainedRequest): RequestExplanation {
    const { ports } = this.#configurations;
    const at = request.listener ?? ports.findIndex((port) => port instanceof HttpPort);
    const port = ports[at];
    if (port instanceof HttpPort) return explainRequest(port, at, request);
    const expected = 'the place of a listener for requests';
    throw new ConfigError([{ path: 'explain.listener', expected, actual: String(at) }]);
  }

  drain(): void {
    this.#isDraining = true;
    for (const port of this.#configurations.ports) port.drain(DRAIN_IDLE_MS);
  }

  get certificates(): readonly CertificateStatus[] {
    return certificatesOf(this.#configurations.ports);
  }

  get filters(): readonly FilterReport[] {
    return reportsOf(this.#configurations.filters);
  }

  start(config: ProxyConfig, path: string): Promise<ApplyReport> {
    return this.#change(config, { path });
  }

  apply(options: ProxyOptions, how: ApplyOptions = {}): Promise<ApplyReport> {
    const { path = 'apply' } = how;
    return this.#inTurn(async () => {
      const report = await this.#change(decodeProxyOptions(options, path), { ...how, path });
      // Listeners that are new are to end their connections, too.
      if (this.#isDraining) this.drain();
      return report;
    });
  }

  reloadCertificates(others: readonly ListenerCertificates[] = []): Promise<void> {
    return this.#inTurn(async () => {
      const { config, path } = this.#configurations;
      await this.#change(withCertificates(config, others), { path });
    });
  }

  close(options: { readonly drainTimeoutMs?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#configurations.close(
      options.drainTimeoutMs ?? DEFAULT_DRAIN_MS,
      this.#changing,
    );
    return this.#closing;
  }

  #change(
    config: ProxyConfig,
    { drainTimeoutMs = DEFAULT_DRAIN_MS, path = '' }: ApplyOptions,
  ): Promise<ApplyReport> {
    return this.#configurations.change(config, { drainTimeoutMs, path });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const change = this.#changing.then(() => {
      if (this.#closing === undefined) return task();
      throw new EvenkeelError('EVENKEEL_CLOSED', 'the proxy is closing');
    });
    this.#changing = change.catch(() => undefined);
    return change;
  }
}
