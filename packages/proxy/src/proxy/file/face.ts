/** A proxy whose options stand in a file, as its user sees it. */
import type { Cluster } from '@evenkeel/core';
import type { AdminListenOptions } from '../../config/admin-options.ts';
import type { SpanRecorder } from '../../observability/trace-context/spans.ts';
import type { ApplyReport } from '../apply-report.ts';
import type { Proxy } from '../face.ts';

export interface ProxyFileOptions {
  /** A relative path starts at the working directory, as do those in the file. */
  readonly path: string;
  /** Default: JSON for the ending `.json`, else YAML. */
  readonly format?: 'json' | 'yaml' | undefined;
  /** Is the file followed, with the certificates and keys that it names? Default true. */
  readonly watch?: boolean | undefined;
  /** Variables that the file may name: `${PORT}`, `${PORT:-8080}`. Default those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Largest file, in bytes, 1 KiB..256 MiB. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long the file must have been quiet before it is read, 0..10,000 ms. Default 50. */
  readonly debounceMs?: number | undefined;
  /** How often to look without having been told of a change, 100 ms..1 h. Default 5,000. */
  readonly pollIntervalMs?: number | undefined;
  /**
   * How long a new file waits for the first endpoints of its clusters, 0..1 h. It comes into force in any case: a registry
   * that is down must not stand in the way of other changes. Default 5,000 ms.
   */
  readonly readyTimeoutMs?: number | undefined;
  /** How long connections of removed listeners may last, 0..24 h. Default 30,000 ms. */
  readonly drainTimeoutMs?: number | undefined;
  /**
   * Records the spans of requests where the file has `tracing`: `openTelemetry()` of `@evenkeel/proxy/tracing`. Default
   * nobody.
   */
  readonly spans?: SpanRecorder | undefined;
  /** Another file is in force. */
  readonly onApplied?: ((report: ApplyReport) => void) | undefined;
  /** The file is wrong, or cannot be read; the one before stays in force. Once for each thing that is wrong. */
  readonly onRefused?: ((error: Error) => void) | undefined;
}

export interface ProxyFileStatus {
  /** Absolute. */
  readonly path: string;
  /** How many files have come into force, the first included. */
  readonly generation: number;
  /** When the last one did, in milliseconds since 1970. */
  readonly appliedAtMs: number;
  /** What is wrong with the file as it is now; undefined when it is in force. */
  readonly lastError: Error | undefined;
  /** Why changes are found by looking alone; undefined when the system tells of them. */
  readonly watchProblem: string | undefined;
}

export interface ProxyFile {
  readonly proxy: Proxy;
  /** Those of the file that is in force. */
  readonly clusters: readonly Cluster[];
  readonly status: ProxyFileStatus;
  /**
   * What the file says about the admin address, for `createAdmin({ proxy: file.proxy, file, ...file.admin })`. A change of
   * it takes a new start.
   */
  readonly admin: AdminListenOptions | undefined;
  /**
   * Reads the file now, with all the files that it names, and applies it, changed or not.
   *
   * @throws ConfigError naming everything that is wrong; the file before stays in force
   */
  reload(): Promise<ApplyReport>;
  /** Follows the file no more, and closes proxy and clusters. Idempotent. */
  close(options?: { readonly drainTimeoutMs?: number | undefined }): Promise<void>;
}
