/** A proxy whose options stand in a file. */
import {
  type Cluster,
  type ClusterPorts,
  ConfigError,
  createRuntime,
  EvenkeelError,
  type Runtime,
} from '@evenkeel/core';
import {
  ConfigDocument,
  FileFollower,
  type FileListener,
  type FollowedFile,
  readFailureOf,
  readTextFile,
} from '@evenkeel/core/config';
import { extname, resolve } from 'node:path';
import { env } from 'node:process';
import { decodeProxyFile } from '../../config/file/decode-proxy-file.ts';
import type { AdminListenOptions } from '../../config/admin-options.ts';
import type { ProxyOptions } from '../../config/options.ts';
import type { ApplyReport } from '../apply-report.ts';
import type { Proxy } from '../face.ts';
import { startProxy } from '../proxy.ts';
import { CertificateFiles } from './certificate-files.ts';
import { type ClusterPlan, FileClusters } from './file-clusters.ts';
import type { ProxyFile, ProxyFileOptions, ProxyFileStatus } from './face.ts';

/** 10,000 routes are 2 MB. YAML takes the thread a second per megabyte, JSON a fiftieth of that. */
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
const DEFAULT_DEBOUNCE_MS = 50;
const DEFAULT_POLL_MS = 5_000;
const DEFAULT_READY_MS = 5_000;

/** Ports of the proxy and of its clusters. */
export type ProxyFilePorts = Partial<Runtime> & Omit<ClusterPorts, keyof Runtime>;

/**
 * Starts a proxy from a YAML or JSON file, with the clusters that are in it, and follows the file: what it says is applied
 * whenever it changes, without dropping a connection. A file that is wrong is refused as a whole, with file, line and
 * reason, and the one before stays in force.
 *
 * @returns once all listeners listen
 * @throws ConfigError when the file cannot be read, or anything in it is wrong; nothing is left open then
 */
export async function openProxyFile(
  options: ProxyFileOptions,
  ports: ProxyFilePorts = {},
): Promise<ProxyFile> {
  const file = new RunningProxyFile(options, ports);
  try {
    await file.start();
  } catch (error) {
    await file.close({ drainTimeoutMs: 0 });
    throw error;
  }
  return file;
}

class RunningProxyFile implements ProxyFile, FileListener {
  readonly #options: ProxyFileOptions;
  readonly #ports: ProxyFilePorts;
  readonly #runtime: Runtime;
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #clusters: FileClusters;
  readonly #follower: FileFollower;
  readonly #certificates: CertificateFiles;
  #proxy: Proxy | undefined = undefined;
  #admin: AdminListenOptions | undefined = undefined;
  /** That was looked at last, right or wrong; undefined when it has to be looked at anew. */
  #text: string | undefined = undefined;
  #generation = 0;
  #appliedAtMs = 0;
  #lastError: Error | undefined = undefined;
  /** The last thing that was wrong, if it was with certificates that have changed. */
  #certificateError: Error | undefined = undefined;
  /** One after the other. */
  #loading: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined = undefined;

  constructor(options: ProxyFileOptions, ports: ProxyFilePorts) {
    const { maxBytes, debounceMs, pollIntervalMs } = options;
    this.#options = options;
    this.#ports = ports;
    this.#runtime = createRuntime(ports);
    this.#path = resolve(options.path);
    this.#maxBytes = maxBytes ?? DEFAULT_MAX_BYTES;
    this.#clusters = new FileClusters(ports);
    const follow = {
      debounceMs: debounceMs ?? DEFAULT_DEBOUNCE_MS,
      pollIntervalMs: pollIntervalMs ?? DEFAULT_POLL_MS,
    };
    const followed: FollowedFile = { path: this.#path, maxBytes: this.#maxBytes, ...follow };
    this.#follower = new FileFollower(followed, this.#runtime, this);
    this.#certificates = new CertificateFiles(this.#runtime, follow, () => {
      void this.#reloadCertificates();
    });
  }

  get proxy(): Proxy {
    return this.#proxy as Proxy;
  }

  get clusters(): readonly Cluster[] {
    return this.#clusters.all;
  }

  get admin(): AdminListenOptions | undefined {
    return this.#admin;
  }

  get status(): ProxyFileStatus {
    return {
      path: this.#path,
      generation: this.#generation,
      appliedAtMs: this.#appliedAtMs,
      lastError: this.#lastError,
      watchProblem: this.#follower.problem,
    };
  }

  async start(): Promise<void> {
    await this.#load(await this.#read());
    if (this.#options.watch !== false) this.#follower.look();
  }

  reload(): Promise<ApplyReport> {
    return this.#inTurn(async () => this.#load(await this.#read()));
  }

  async onText(text: string): Promise<void> {
    try {
      await this.#inTurn(async () => {
        if (text !== this.#text) await this.#load(text);
      });
    } catch {
      // It has been told.
    }
  }

  onUnchanged(): void {
    // As right or wrong as it was.
  }

  onFailure(error: unknown): void {
    const failure = this.#unreadable(error);
    // When there is a file again, it is news, whatever it says.
    this.#text = undefined;
    if (this.#lastError?.message !== failure.message) this.#refused(failure);
  }

  close({ drainTimeoutMs }: { readonly drainTimeoutMs?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#close(drainTimeoutMs);
    return this.#closing;
  }

  async #close(drainTimeoutMs: number | undefined): Promise<void> {
    const following = this.#follower.close();
    await this.#proxy?.close({ drainTimeoutMs });
    await Promise.all([this.#loading, following, this.#certificates.close()]);
    await this.#clusters.close();
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const load = this.#loading.then(() => {
      if (this.#closing === undefined) return task();
      throw new EvenkeelError('EVENKEEL_CLOSED', 'the proxy is closing');
    });
    this.#loading = load.catch(() => undefined);
    return load;
  }

  async #read(): Promise<string> {
    try {
      return (await readTextFile(this.#path, this.#maxBytes)).text;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  #unreadable(error: unknown): ConfigError {
    const { path } = this.#options;
    const actual = readFailureOf(error);
    return new ConfigError([{ path, expected: 'a file that can be read', actual }], error);
  }

  /** @throws ConfigError; the file before stays in force */
  async #load(text: string): Promise<ApplyReport> {
    this.#text = text;
    try {
      const report = await this.#apply(await this.#documentOf(text));
      this.#generation++;
      this.#appliedAtMs = this.#runtime.clock.wallMs();
      this.#lastError = undefined;
      this.#options.onApplied?.(report);
      return report;
    } catch (error) {
      this.#refused(error as Error);
      throw error;
    }
  }

  /** The file is what it was; what it names is not. */
  async #reloadCertificates(): Promise<void> {
    try {
      await this.#inTurn(() => this.proxy.reloadCertificates());
      if (this.#lastError === this.#certificateError) this.#lastError = undefined;
      this.#certificateError = undefined;
    } catch (error) {
      // A certificate and its key do not change at one time: the next change makes it good.
      this.#certificateError = error as Error;
      this.#refused(error as Error);
    }
  }

  #refused(error: Error): void {
    if (this.#closing !== undefined) return;
    const { path, onRefused } = this.#options;
    this.#lastError = error;
    if (this.#generation > 0)
      this.#runtime.logger.error({ error, path }, 'the file of the proxy was refused');
    onRefused?.(error);
  }

  #documentOf(text: string): Promise<ConfigDocument> {
    const { path: name, environment = env, format } = this.#options;
    const byEnding = extname(name).toLowerCase() === '.json' ? 'json' : 'yaml';
    return ConfigDocument.read(text, { name, format: format ?? byEnding, environment });
  }

  async #apply(document: ConfigDocument): Promise<ApplyReport> {
    let plan: ClusterPlan | undefined;
    try {
      const decoded = decodeProxyFile(document.value, this.#ports);
      plan = this.#clusters.plan(decoded.clusters);
      await this.#untilReady(plan);
      const { tracing } = decoded.options;
      const options = {
        ...decoded.options,
        clusters: plan.clusters,
        ...(tracing !== undefined && { tracing: { ...tracing, spans: this.#options.spans } }),
      };
      const report = await this.#takeOver(options);
      this.#clusters.commit(plan, report.drained);
      this.#admin = decoded.admin;
      if (this.#options.watch !== false) this.#certificates.follow(options);
      return report;
    } catch (error) {
      await plan?.discard();
      throw error instanceof ConfigError ? document.locate(error) : error;
    }
  }

  async #takeOver(options: ProxyOptions): Promise<ApplyReport> {
    const { drainTimeoutMs } = this.#options;
    if (this.#proxy !== undefined) return this.#proxy.apply(options, { path: '', drainTimeoutMs });
    const { proxy, report } = await startProxy(options, { path: '', ports: this.#ports });
    this.#proxy = proxy;
    return report;
  }

  /** A cluster that knows no endpoint yet would refuse what the one before it could have served. */
  async #untilReady(plan: ClusterPlan): Promise<void> {
    const { readyTimeoutMs = DEFAULT_READY_MS, path } = this.#options;
    const { scheduler, logger } = this.#runtime;
    const clusters = await plan.notReady(readyTimeoutMs, scheduler);
    if (clusters.length > 0) logger.warn({ clusters, path }, 'clusters know no endpoints yet');
  }
}
