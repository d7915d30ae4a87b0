import { knownField } from '../../http1/known-field.ts';
import { type FieldBlock, Pseudo } from '../http2-stream.ts';

export type Fields = readonly (readonly [name: string, value: string])[];

/** A block with exactly these fields: nothing is checked. */
export function blockOf(fields: Fields): FieldBlock {
  const text = fields.map(([name, value]) => name + value).join('');
  const bytes = Buffer.from(text, 'latin1');
  const starts: number[] = [];
  let at = 0;
  for (const [name, value] of fields) {
    starts.push(at);
    at += name.length + value.length;
  }
  const from = (field: number): number => starts[field] as number;
  const nameOf = (field: number): string => (fields[field] as readonly [string, string])[0];
  const valueOf = (field: number): string => (fields[field] as readonly [string, string])[1];
  const first = fields.findIndex(([name]) => !name.startsWith(':'));
  const length = fields.find(([name]) => name === 'content-length')?.[1];
  return {
    count: fields.length,
    firstRegular: first < 0 ? fields.length : first,
    bytes,
    status: Number(fields.find(([name]) => name === ':status')?.[1] ?? 0),
    contentLength: length === undefined ? -1 : Number(length),
    pseudo: (pseudo) =>
      fields.findIndex(([name]) => name === `:${Object.keys(Pseudo)[pseudo] as string}`),
    kind: (field) => knownField(Buffer.from(nameOf(field)), 0, nameOf(field).length),
    nameFrom: from,
    nameTo: (field) => from(field) + nameOf(field).length,
    valueFrom: (field) => from(field) + nameOf(field).length,
    valueTo: (field) => from(field) + nameOf(field).length + valueOf(field).length,
  };
}
