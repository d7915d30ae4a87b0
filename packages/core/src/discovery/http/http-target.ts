/** Where an HTTP server is, and the files that make a connection to it trusted. */

export type HttpTarget =
  | {
      readonly kind: 'tcp';
      readonly secure: boolean;
      readonly host: string;
      readonly port: number;
      /** Path before that of every call, where a proxy has put the server below one; '' otherwise. */
      readonly prefix: string;
    }
  | { readonly kind: 'unix'; readonly path: string };

/** PEM files, read when connecting. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

/**
 * Reads an address: `http://host:port`, `https://host`, `host:port`, `unix:///path`; undefined when it is none.
 * Credentials in it are refused: they would turn up in logs.
 *
 * @param secure what an address without a scheme means
 */
export function parseHttpTarget(address: string, secure: boolean): HttpTarget | undefined {
  if (address.startsWith('unix://')) {
    const socket = address.slice('unix://'.length);
    return socket.startsWith('/') ? { kind: 'unix', path: socket } : undefined;
  }
  const complete = /^[a-z]+:\/\//i.test(address)
    ? address
    : `${secure ? 'https' : 'http'}://${address}`;
  const url = URL.parse(complete);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return undefined;
  }
  const isSecure = url.protocol === 'https:';
  return {
    kind: 'tcp',
    secure: isSecure,
    // node:http wants an IPv6 address bare.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    prefix: url.pathname.replace(/\/+$/, ''),
  };
}
