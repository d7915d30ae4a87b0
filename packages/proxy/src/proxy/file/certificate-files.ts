/** The files with certificates and keys that a configuration names: followed, so that renewed ones are taken over. */
import type { Runtime } from '@evenkeel/core';
import { FileFollower } from '@evenkeel/core/config';
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { ProxyOptions } from '../../config/options.ts';
import type { CertificateOptions } from '../../config/tls-options.ts';

/** A bundle of roots is 200 kB. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface FollowOptions {
  readonly debounceMs: number;
  readonly pollIntervalMs: number;
}

export class CertificateFiles {
  readonly #runtime: Runtime;
  readonly #options: FollowOptions;
  readonly #onChange: () => void;
  #followers = new Map<string, FileFollower>();
  readonly #closing = new Set<Promise<void>>();

  /** @param onChange one of them is not what it was, or is gone and back */
  constructor(runtime: Runtime, options: FollowOptions, onChange: () => void) {
    this.#runtime = runtime;
    this.#options = options;
    this.#onChange = onChange;
  }

  /** These are in force now. */
  follow(options: Pick<ProxyOptions, 'listeners' | 'upstreams'>): void {
    const before = this.#followers;
    this.#followers = new Map();
    for (const path of new Set(pathsOf(options).map((named) => resolve(named)))) {
      const follower = before.get(path) ?? this.#open(path);
      before.delete(path);
      this.#followers.set(path, follower);
    }
    for (const follower of before.values()) this.#close(follower);
  }

  async close(): Promise<void> {
    for (const follower of this.#followers.values()) this.#close(follower);
    this.#followers.clear();
    await Promise.all(this.#closing);
  }

  #open(path: string): FileFollower {
    // Keys are not kept, but for what tells one from another.
    let digest: string | undefined;
    const follower = new FileFollower(
      { path, maxBytes: MAX_BYTES, ...this.#options },
      this.#runtime,
      {
        onText: (text) => {
          const before = digest;
          digest = createHash('sha256').update(text).digest('base64');
          if (before !== undefined && before !== digest) this.#onChange();
        },
        onUnchanged: () => undefined,
        // Whoever reads it then says what is wrong.
        onFailure: () => undefined,
      },
    );
    follower.look();
    return follower;
  }

  #close(follower: FileFollower): void {
    const closing = follower.close().then(() => {
      this.#closing.delete(closing);
    });
    this.#closing.add(closing);
  }
}

/** OCSP responses are left out: they are not text, and who renews them has the certificates read anew. */
function pathsOf({
  listeners,
  upstreams = {},
}: Pick<ProxyOptions, 'listeners' | 'upstreams'>): string[] {
  const ofCertificate = ({ certFile, keyFile }: CertificateOptions = {}): (
    string | undefined
  )[] => [certFile, keyFile];
  const paths = [
    ...listeners.flatMap(({ tls }) => [
      tls?.clientCaFile,
      ...(tls?.certificates ?? []).flatMap(ofCertificate),
    ]),
    ...Object.values(upstreams).flatMap(({ tls }) => [
      tls?.caFile,
      ...ofCertificate(tls?.certificate),
    ]),
  ];
  return paths.filter((path) => path !== undefined);
}
