/** The certificates of a proxy: in force, and their change. */
import { ConfigError } from '@evenkeel/core';
import { decode } from '@evenkeel/core/schema';
import type { ProxyConfig } from '../config/options.ts';
import {
  type CertificateOptions,
  certificatesSchema,
  type TlsConfig,
} from '../config/tls-options.ts';
import type { Listener } from '../listener/listener.ts';
import { UpstreamTls } from '../tls/client-credentials.ts';
import { type Credentials, loadCredentials } from '../tls/load-credentials.ts';

/** Other certificates for a listener than those in force. */
export interface ListenerCertificates {
  /** Place of the listener in the options, from 0. */
  readonly listener: number;
  readonly certificates: readonly CertificateOptions[];
}

/** A certificate in force. */
export interface CertificateStatus {
  /** Place of the listener in the options, from 0. */
  readonly listener: number;
  /** Host names that it is chosen for. */
  readonly names: readonly string[];
  readonly validFrom: Date;
  /** Nothing happens at this time here, but clients refuse the certificate from then on. */
  readonly validTo: Date;
  /** SHA-256, in hexadecimal with colons. */
  readonly fingerprint: string;
}

export class Certificates {
  readonly #upstreamConfigs: ProxyConfig['upstreamTls'];
  readonly #upstreams = new Map<string, UpstreamTls>();
  #tls: readonly (TlsConfig | undefined)[];
  /** One change after the other, so that the last one asked for is the one that stays. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor({ listeners, upstreamTls }: ProxyConfig) {
    this.#tls = listeners.map(({ tls }) => tls);
    this.#upstreamConfigs = upstreamTls;
  }

  /** @throws ConfigError naming everything that is wrong */
  async load(): Promise<Credentials> {
    const credentials = await loadCredentials(this.#tls, this.#upstreamConfigs);
    for (const [name, config] of this.#upstreamConfigs) {
      const context = credentials.upstreams.get(name);
      if (context !== undefined) this.#upstreams.set(name, new UpstreamTls(config, context));
    }
    return credentials;
  }

  /** @returns undefined for clear text */
  upstream(cluster: string): UpstreamTls | undefined {
    return this.#upstreams.get(cluster);
  }

  /** @throws ConfigError naming everything that is wrong; what was in force stays then */
  change(listeners: readonly WithTls[], others: readonly ListenerCertificates[]): Promise<void> {
    const change = this.#changing.then(() => this.#change(listeners, others));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  async #change(
    listeners: readonly WithTls[],
    others: readonly ListenerCertificates[],
  ): Promise<void> {
    const next = [...this.#tls];
    for (const [at, { listener, certificates }] of others.entries()) {
      const path = `reloadCertificates[${at}]`;
      const checked = decode(certificatesSchema, certificates, `${path}.certificates`);
      const tls = next[listener];
      if (tls === undefined) {
        const expected = 'the place of a listener with TLS';
        throw new ConfigError([{ path: `${path}.listener`, expected, actual: String(listener) }]);
      }
      next[listener] = { ...tls, certificates: checked };
    }
    const loaded = await loadCredentials(next, this.#upstreamConfigs);
    // From here on nothing fails, and nothing waits.
    this.#tls = next;
    for (const [at, listener] of listeners.entries()) {
      const credentials = loaded.listeners[at];
      if (credentials !== undefined) listener.tls?.replace(credentials);
    }
    for (const [name, context] of loaded.upstreams) {
      const upstream = this.#upstreams.get(name);
      if (upstream !== undefined) upstream.context = context;
    }
  }
}

/** Listeners of any kind; those of `tcp` and `udp` have no TLS of their own. */
type WithTls = Pick<Listener, 'tls'>;

export function certificatesOf(listeners: readonly WithTls[]): readonly CertificateStatus[] {
  return listeners.flatMap(({ tls }, listener) =>
    (tls?.credentials.certificates ?? []).map(({ names, x509 }) => ({
      listener,
      names,
      validFrom: x509.validFromDate,
      validTo: x509.validToDate,
      fingerprint: x509.fingerprint256,
    })),
  );
}
