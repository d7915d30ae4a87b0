import { routeRequest } from '../../engine/test-support/route-request.ts';
import type { ClientCertificate, FilterRequest, HeaderEdits } from '../filter.ts';

/** Fields with the edits of a filter: what the other side would get. */
export class FakeFields implements HeaderEdits {
  readonly lines: [string, string][];

  constructor(lines: readonly (readonly [string, string])[] = []) {
    this.lines = lines.map(([name, value]) => [name.toLowerCase(), value]);
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.append(name, value);
  }

  append(name: string, value: string): void {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError(`a value that cannot be sent`);
    this.lines.push([name.toLowerCase(), value]);
  }

  remove(name: string): void {
    const kept = this.lines.filter(([key]) => key !== name.toLowerCase());
    this.lines.splice(0, this.lines.length, ...kept);
  }

  get(name: string): string | undefined {
    const values = this.lines.filter(([key]) => key === name).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(', ');
  }
}

export interface FakeRequest extends FilterRequest {
  readonly headers: FakeFields;
  readonly responseHeaders: FakeFields;
  readonly target: string | undefined;
  abort(): void;
}

export interface FakeRequestOptions {
  readonly clientAddress?: string;
  readonly peer?: string;
  readonly certificate?: ClientCertificate;
  readonly bodyBytes?: number | undefined;
  readonly route?: string;
  readonly id?: string;
}

/** @param head request line and field lines, `GET /a?b=c HTTP/1.1\nhost: example.com` */
export function fakeRequest(
  head = 'GET / HTTP/1.1',
  options: FakeRequestOptions = {},
): FakeRequest {
  const { peer = '192.0.2.1', clientAddress = peer } = options;
  const [, ...fields] = head.split('\n');
  const headers = new FakeFields(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon), field.slice(colon + 1).trim()] as const;
    }),
  );
  const abort = new AbortController();
  let target: string | undefined = undefined;
  return {
    ...routeRequest(head, peer),
    header: (name) => headers.get(name.toLowerCase()),
    scheme: 'https',
    clientAddress,
    certificate: options.certificate,
    route: options.route ?? 'api',
    id: options.id ?? '',
    bodyBytes: 'bodyBytes' in options ? options.bodyBytes : 0,
    headers,
    responseHeaders: new FakeFields(),
    get target() {
      return target;
    },
    setTarget: (to) => {
      target = to;
    },
    signal: abort.signal,
    abort: () => abort.abort(),
  };
}
