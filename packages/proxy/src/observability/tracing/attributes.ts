/**
 * Names and attributes of spans: the semantic conventions for HTTP of OpenTelemetry, stable since version 1.23. What is
 * the proxy's own begins with `evenkeel.`.
 */
import type { Attributes } from '@opentelemetry/api';
import type { RouteRequest } from '../../engine/route.ts';
import type { TracedClient, TracedTry } from '../trace-context/spans.ts';

/** What is kept of a request until its last try has begun. */
export interface Traced {
  /** `GET`; `HTTP` for a method that is none of the known ones, of which there may be any number. */
  readonly spanName: string;
  readonly method: Attributes;
  readonly client: TracedClient;
  readonly request:
    | {
        readonly host: string;
        readonly path: string;
        /** With its `?`; '' for none, or where it is not to be recorded. */
        readonly query: string;
        readonly version: string;
        readonly userAgent: string | undefined;
        readonly sourceAddress: string | undefined;
      }
    | undefined;
}

interface SpanBeginning {
  readonly name: string;
  readonly attributes: Attributes;
}

/** RFC 9110 section 9 and RFC 5789; all others are `_OTHER`. */
const METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

export function tracedOf(
  request: RouteRequest | undefined,
  client: TracedClient,
  recordsQuery: boolean,
): Traced {
  const method = request?.method ?? '';
  const isKnown = METHODS.has(method);
  return {
    spanName: isKnown ? method : 'HTTP',
    method: isKnown
      ? { 'http.request.method': method }
      : {
          'http.request.method': '_OTHER',
          ...(method !== '' && { 'http.request.method_original': method }),
        },
    client: { address: client.address, scheme: client.scheme },
    request: request && {
      host: request.host,
      path: request.path,
      query: recordsQuery ? request.search : '',
      version: versionOf(request),
      userAgent: request.header('user-agent'),
      sourceAddress: request.sourceAddress,
    },
  };
}

export function requestAttributes({ spanName, method, client, request }: Traced): SpanBeginning {
  const attributes: Attributes = {
    ...method,
    'url.scheme': client.scheme,
    'network.peer.address': client.address,
    'client.address': request?.sourceAddress ?? client.address,
  };
  if (request !== undefined) {
    const { host, path, query, version, userAgent } = request;
    attributes['url.path'] = path;
    if (query !== '') attributes['url.query'] = query.slice(1);
    attributes['network.protocol.name'] = 'http';
    attributes['network.protocol.version'] = version;
    if (userAgent !== undefined) attributes['user_agent.original'] = userAgent;
    const [, name, port] = AUTHORITY.exec(host) ?? [];
    if (name !== undefined) attributes['server.address'] = name.replace(/^\[|\]$/g, '');
    if (port !== undefined) attributes['server.port'] = Number(port);
  }
  return { name: spanName, attributes };
}

/** `a.example:80`, `[::1]:80`: name and port. */
const AUTHORITY = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/;

export function tryAttributes(
  { spanName, method, request }: Traced,
  { cluster, endpoint, isSecure, resendCount }: TracedTry,
): SpanBeginning {
  const attributes: Attributes = { ...method, 'evenkeel.cluster': cluster };
  const target = `${request?.path ?? '/'}${request?.query ?? ''}`;
  const address = endpoint?.address;
  if (endpoint !== undefined) attributes['evenkeel.endpoint'] = endpoint.id;
  if (address?.kind === 'unix') {
    attributes['network.transport'] = 'unix';
    attributes['server.address'] = address.path;
  } else if (address !== undefined) {
    const { host, port } = address;
    const name = host.includes(':') ? `[${host}]` : host;
    attributes['server.address'] = host;
    attributes['server.port'] = port;
    attributes['url.full'] = `${isSecure ? 'https' : 'http'}://${name}:${port}${target}`;
    if (address.kind === 'ip') {
      attributes['network.peer.address'] = host;
      attributes['network.peer.port'] = port;
    }
  }
  if (resendCount > 0) attributes['http.request.resend_count'] = resendCount;
  return { name: spanName, attributes };
}

/** `1.1`, `2`. */
function versionOf({ protocol, minor }: RouteRequest): string {
  return protocol?.split('/')[1] ?? `1.${minor}`;
}
