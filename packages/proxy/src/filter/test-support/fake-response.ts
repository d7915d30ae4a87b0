import type { FilterResponse } from '../filter.ts';
import { FakeFields } from './fake-request.ts';

export interface FakeResponse extends FilterResponse {
  readonly headers: FakeFields;
}

export function fakeResponse(
  status = 200,
  fields: Readonly<Record<string, string>> = {},
  options: { readonly isLocal?: boolean; readonly bodyBytes?: number | undefined } = {},
): FakeResponse {
  const headers = new FakeFields(Object.entries(fields));
  return {
    status,
    isLocal: options.isLocal ?? false,
    bodyBytes: 'bodyBytes' in options ? options.bodyBytes : 10_000,
    header: (name) => headers.get(name),
    headers,
  };
}
