import { ChunkedReader, ChunkEvent } from '../chunked-reader.ts';
import { words } from './read-head.ts';

export interface ReadBody {
  readonly body: string;
  /** What came after the end in the same piece. */
  readonly rest: string;
  readonly verdict: string;
  readonly trailers: readonly string[];
}

/** Reads a chunked body that arrives in pieces, cut at the given places. */
export function readBody(
  wire: string,
  cuts: readonly number[] = [],
  reader: ChunkedReader = new ChunkedReader(),
): ReadBody {
  const bytes = Buffer.from(wire, 'latin1');
  const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b);
  let body = '';
  let verdict = 'more';
  let rest = '';
  let from = 0;
  for (const to of ends) {
    let at = from;
    for (;;) {
      const event = reader.next(bytes, at, to);
      at = reader.at;
      if (event === ChunkEvent.data) {
        body += bytes.toString('latin1', reader.dataFrom, reader.dataTo);
        continue;
      }
      if (event === ChunkEvent.failed) verdict = words(reader.problem);
      if (event === ChunkEvent.end) {
        verdict = 'end';
        rest = bytes.toString('latin1', at, to);
      }
      break;
    }
    if (verdict !== 'more') break;
    from = to;
  }
  return { body, rest, verdict, trailers: trailersOf(reader) };
}

function trailersOf({ trailers, trailerBytes }: ChunkedReader): string[] {
  if (trailers === undefined || trailerBytes === undefined) return [];
  return Array.from({ length: trailers.count }, (_, line) => {
    const name = trailerBytes.toString('latin1', trailers.nameFrom(line), trailers.nameTo(line));
    const value = trailerBytes.toString('latin1', trailers.valueFrom(line), trailers.valueTo(line));
    return `${name}=${value}`;
  });
}
