import type { RouteRequest } from '../route.ts';

/** A request as routes see it, for tests without sockets. @param head request line and field lines */
export function routeRequest(head: string, sourceAddress = '192.0.2.1'): RouteRequest {
  const [line = '', ...fields] = head.split('\n');
  const [method = '', target = ''] = line.split(' ');
  const [path = '', query] = target.split('?');
  const values = (name: string): string[] =>
    fields
      .map((field) => /^([^:]*): *(.*)$/.exec(field) ?? [])
      .filter(([, key]) => key?.toLowerCase() === name)
      .map(([, , value = '']) => value);
  return {
    method,
    path,
    search: query === undefined ? '' : `?${query}`,
    host: values('host')[0] ?? '',
    minor: 1,
    certificate: undefined,
    sourceAddress,
    header: (name) => (values(name).length === 0 ? undefined : values(name).join(', ')),
    cookie: (name) => new RegExp(`${name}=([^;]*)`).exec(values('cookie').join('; '))?.[1],
    query: (name) => new URLSearchParams(query).get(name) ?? undefined,
  };
}
