import { isIP } from 'node:net';

/** A name server. */
export interface DnsServer {
  /** An IP address, with a zone where link-local IPv6 needs one. */
  readonly host: string;
  readonly family: 4 | 6;
  readonly port: number;
}

const DNS_PORT = 53;

/** Reads `10.0.0.1`, `10.0.0.1:5353`, `::1` or `[::1]:5353`; undefined when it is none of these. */
export function parseServer(text: string): DnsServer | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const withPort = /^([^:]+):(\d{1,5})$/.exec(text);
  const host = bracketed?.[1] ?? withPort?.[1] ?? text;
  const port = Number(bracketed?.[2] ?? withPort?.[2] ?? DNS_PORT);
  const family = isIP(host);
  if (port < 1 || port > 65_535) return undefined;
  if (family === 4 && bracketed === null) return { host, family, port };
  return family === 6 ? { host, family, port } : undefined;
}

/** `10.0.0.1:53`, `[::1]:53` */
export function formatServer({ host, family, port }: DnsServer): string {
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
