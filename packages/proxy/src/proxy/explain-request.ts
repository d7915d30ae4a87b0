/** Which route, which cluster and which endpoint a request would get, and why: without sending it. */
import { cookieValue, type PickExplanation } from '@evenkeel/core';
import { contextOf } from '../engine/choice.ts';
import type { RouteRequest } from '../engine/route.ts';
import type { ClientCertificate } from '../filter/filter.ts';
import type { HttpPort } from './http-port.ts';

/** A request to be explained. */
export interface ExplainedRequest {
  /** Place of the listener in the options, from 0. Default the first one for requests. */
  readonly listener?: number | undefined;
  /** Default `GET`. */
  readonly method?: string | undefined;
  /** Default ''. */
  readonly host?: string | undefined;
  /** With a query, if it has one. Default `/`. */
  readonly path?: string | undefined;
  /** Names are compared without their case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default `127.0.0.1`. */
  readonly sourceAddress?: string | undefined;
  /** Of the client, verified. Default none. */
  readonly certificate?:
    { readonly [Key in keyof ClientCertificate]?: ClientCertificate[Key] | undefined } | undefined;
}

export interface RequestExplanation {
  readonly listener: number;
  /** Name of the route; undefined when the request finds none. */
  readonly route: string | undefined;
  /** What becomes of it, in a sentence. */
  readonly reason: string;
  /** Names of the filters that it meets, in their order: whether they let it pass is theirs to say. */
  readonly filters: readonly string[];
  /** Undefined for answers of the proxy's own. */
  readonly cluster: string | undefined;
  /** Which endpoint, and why; undefined without a cluster. */
  readonly pick: PickExplanation | undefined;
}

export function explainRequest(
  port: HttpPort,
  listener: number,
  request: ExplainedRequest,
): RequestExplanation {
  const view = viewOf(request);
  const route = port.routes.find(view);
  if (route === undefined) {
    const reason = `no route for ${view.method} ${view.host}${view.path}: 404`;
    return { listener, route: undefined, reason, filters: [], cluster: undefined, pick: undefined };
  }
  const filters = (route.filters ?? []).map(({ name }) => name);
  const choice = route.choose(view);
  const common = { listener, route: route.name, filters };
  if (choice.kind === 'local') {
    const reason = `answered by the proxy with ${choice.answer.status}`;
    return { ...common, reason, cluster: undefined, pick: undefined };
  }
  const { cluster } = choice.upstream;
  const pick = cluster.explain(contextOf(choice, view));
  const reason = `to the cluster '${cluster.name}': ${pick.reason}`;
  return { ...common, reason, cluster: cluster.name, pick };
}

function viewOf({
  method = 'GET',
  host = '',
  path: target = '/',
  headers = {},
  sourceAddress = '127.0.0.1',
  certificate,
}: ExplainedRequest): RouteRequest {
  const fields = new Map(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
  const query = target.indexOf('?');
  const search = query < 0 ? '' : target.slice(query);
  return {
    method,
    host: host === '' ? (fields.get('host') ?? '') : host,
    path: query < 0 ? target : target.slice(0, query),
    search,
    minor: 1,
    certificate: certificate && {
      subject: certificate.subject ?? '',
      names: certificate.names ?? [],
      fingerprint: certificate.fingerprint ?? '',
    },
    sourceAddress,
    header: (name) => fields.get(name),
    cookie: (name) => cookieValue(fields.get('cookie'), name),
    query: (name) => new URLSearchParams(search).get(name) ?? undefined,
  };
}
