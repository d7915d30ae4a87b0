import { createHash } from 'node:crypto';
import { EvenkeelError } from '../../error/evenkeel-error.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import type {
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from '../resolver.ts';
import { SourceReport } from '../source-report.ts';
import type { FileConfig } from './config.ts';
import { FileFollower, type FileListener, readFailureOf } from './file-follower.ts';
import { parseEndpoints } from './parse-endpoints.ts';

/** What a content turned out to be. */
interface ParsedContent {
  readonly digest: string;
  readonly set: EndpointSet | undefined;
  readonly error: unknown;
}

/** The endpoints in a file, which {@link FileFollower} follows. */
export class FileResolver implements Resolver, FileListener {
  readonly #config: FileConfig;
  readonly #report: SourceReport;
  readonly #follower: FileFollower;
  /** Several looks may see one content, and parsing is the dear part. */
  #parsed: ParsedContent | undefined;

  constructor(config: FileConfig, environment: DiscoveryEnvironment) {
    this.#config = config;
    this.#report = new SourceReport({ kind: 'file', source: config.path }, environment);
    this.#follower = new FileFollower(config, environment.runtime, this);
  }

  start(listener: ResolverListener): void {
    this.#report.open(listener);
    this.#follower.look();
  }

  refresh(): void {
    this.#follower.look();
  }

  status(): ResolverStatus {
    return this.#report.status();
  }

  async close(): Promise<void> {
    this.#report.close();
    await this.#follower.close();
  }

  async onText(text: string): Promise<void> {
    const digest = createHash('sha256').update(text).digest('base64');
    const isNew = digest !== this.#parsed?.digest;
    this.#parsed = isNew ? await this.#parse(text, digest) : this.#parsed;
    if (this.#parsed?.set !== undefined) this.#succeed(this.#parsed.set);
    // What is still as wrong as before has been reported, unless there was another failure in between.
    else if (isNew || this.#report.status().lastError !== reasonOf(this.#parsed?.error)) {
      this.onFailure(this.#parsed?.error);
    }
  }

  onUnchanged(): void {
    // A file that is still as wrong as before has been reported already.
    if (this.#report.last !== undefined && this.#report.status().healthy)
      this.#succeed(this.#report.last);
  }

  onFailure(error: unknown): void {
    this.#report.fail(reasonOf(error), error);
  }

  async #parse(text: string, digest: string): Promise<ParsedContent> {
    try {
      return { digest, set: await parseEndpoints(text, this.#config), error: undefined };
    } catch (error) {
      return { digest, set: undefined, error };
    }
  }

  #succeed(set: EndpointSet): void {
    this.#report.succeed(set, this.#follower.problem);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof EvenkeelError ? error.message : readFailureOf(error);
}
