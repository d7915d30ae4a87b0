/** The certificates of a proxy: in force, and their change. */
import { ConfigError } from '@evenkeel/core';
import { decode } from '@evenkeel/core/schema';
import type { ProxyConfig } from '../config/proxy-config.ts';
import { type CertificateOptions, certificatesSchema } from '../config/tls-options.ts';
import type { Port } from './port.ts';

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

/** @returns the configuration with other certificates @throws ConfigError */
export function withCertificates(
  config: ProxyConfig,
  others: readonly ListenerCertificates[],
): ProxyConfig {
  const listeners = [...config.listeners];
  for (const [at, { listener: place, certificates }] of others.entries()) {
    const path = `reloadCertificates[${at}]`;
    const checked = decode(certificatesSchema, certificates, `${path}.certificates`);
    const listener = listeners[place];
    if (listener?.tls === undefined) {
      const expected = 'the place of a listener with TLS';
      throw new ConfigError([{ path: `${path}.listener`, expected, actual: String(place) }]);
    }
    listeners[place] = { ...listener, tls: { ...listener.tls, certificates: checked } };
  }
  return { ...config, listeners };
}

export function certificatesOf(ports: readonly Port[]): readonly CertificateStatus[] {
  return ports.flatMap(({ tls }, listener) =>
    (tls?.credentials.certificates ?? []).map(({ names, x509 }) => ({
      listener,
      names,
      validFrom: x509.validFromDate,
      validTo: x509.validToDate,
      fingerprint: x509.fingerprint256,
    })),
  );
}
