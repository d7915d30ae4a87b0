/** A trace over HTTP: a line of JSON for each packet, until the one who asked has had enough. */
import type { ServerResponse } from 'node:http';
import { isEvenkeelError } from '@evenkeel/core';
import type { TracedFrame, TracedPacket } from '../forwarder/trace.ts';
import type { TraceFilter } from '../forwarder/trace-filter.ts';
import type { Gateway } from '../gateway/gateway.ts';

/** Words of a filter that stand in a query. */
const TEXTS = ['source', 'destination', 'protocol'] as const;
const NUMBERS = ['sourcePort', 'destinationPort', 'oneIn', 'perSecond'] as const;

/** Answers a request for a trace; one at a time, because the program has one filter. */
export function streamTrace(
  gateway: Gateway,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  try {
    const trace = gateway.trace(filterOf(query), (packet) => {
      // Who reads too slowly misses packets: nothing may pile up in a process that controls a gateway.
      if (!response.writableNeedDrain) response.write(`${encodeTraced(packet)}\n`);
    });
    response.on('close', () => trace.close());
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
  } catch (error) {
    if (!isEvenkeelError(error, 'EVENKEEL_CONFIG')) throw error;
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${error.message}\n`);
  }
}

function filterOf(query: URLSearchParams): TraceFilter {
  const filter: Record<string, string | number> = {};
  for (const name of TEXTS) {
    const value = query.get(name);
    if (value !== null) filter[name] = value;
  }
  for (const name of NUMBERS) {
    const value = query.get(name);
    if (value !== null) filter[name] = Number(value);
  }
  return filter;
}

/** A packet as a line; times are texts, because they are larger than what JSON's numbers hold. */
function encodeTraced(packet: TracedPacket): string {
  const frame = ({ timeNs, bytes, length }: TracedFrame): object => ({
    timeNs: String(timeNs),
    bytes: Buffer.from(bytes).toString('base64'),
    length,
  });
  return JSON.stringify({
    ...packet,
    received: frame(packet.received),
    left: frame(packet.left),
  });
}

/** The packet of a line. */
export function decodeTraced(line: string): TracedPacket {
  interface Line extends Omit<TracedPacket, 'received' | 'left'> {
    readonly received: FrameLine;
    readonly left: FrameLine;
  }
  interface FrameLine {
    readonly timeNs: string;
    readonly bytes: string;
    readonly length: number;
  }
  const frame = ({ timeNs, bytes, length }: FrameLine): TracedFrame => ({
    timeNs: BigInt(timeNs),
    bytes: Buffer.from(bytes, 'base64'),
    length,
  });
  const packet = JSON.parse(line) as Line;
  return { ...packet, received: frame(packet.received), left: frame(packet.left) };
}
