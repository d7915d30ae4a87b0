/** What a response tells its client about this hop: `server-timing` (W3C Server Timing), and the id of the trace. */
import { ascii } from '../http1/byte-class.ts';

export interface HopOptions {
  /** Is the time told that was spent here and at the endpoint? */
  readonly serverTiming: boolean;
  /** The header for the id of the trace, in lower case; undefined for none. */
  readonly traceHeader: string | undefined;
}

/** Of one request, when its response begins. */
export interface HopFacts {
  readonly startedAtMs: number;
  /** When the endpoint was asked whose response it is; undefined for an answer of the proxy's own. */
  readonly askedAtMs: number | undefined;
  readonly nowMs: number;
  readonly traceId: string | undefined;
}

export const NO_LINES: Uint8Array = new Uint8Array(0);

/** Whole lines. Durations are in milliseconds, from the head of the request to that of the response. */
export function hopLinesOf(
  { serverTiming, traceHeader }: HopOptions,
  { startedAtMs, askedAtMs, nowMs, traceId }: HopFacts,
): Uint8Array {
  let lines = '';
  if (serverTiming) {
    const upstreamMs = askedAtMs === undefined ? 0 : nowMs - askedAtMs;
    lines += `server-timing: proxy;dur=${shown(nowMs - startedAtMs - upstreamMs)}`;
    lines += askedAtMs === undefined ? '\r\n' : `, upstream;dur=${shown(upstreamMs)}\r\n`;
  }
  if (traceHeader !== undefined && traceId !== undefined) lines += `${traceHeader}: ${traceId}\r\n`;
  return ascii(lines);
}

/** To the microsecond; the clock of a cluster may have been read a moment earlier than that of its proxy. */
function shown(ms: number): string {
  return String(Math.max(0, Math.round(ms * 1_000) / 1_000));
}
