/**
 * Where a request stands in a trace, and how that is written in `traceparent` and `tracestate` (W3C Trace Context,
 * level 2).
 */
import type { Random } from '@evenkeel/core';

export interface TraceContext {
  /** 32 hexadecimal digits in lower case, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits in lower case, not all zero. */
  readonly spanId: string;
  /** Bit 0: sampled; bit 1: the right half of {@link traceId} is random. */
  readonly flags: number;
  /** What vendors note about the trace: the value of `tracestate`. Undefined for nothing. */
  readonly state: string | undefined;
}

export const SAMPLED = 1;
const RANDOM = 2;
/** Bits that mean something; the others are not passed on (section 3.2.2.5.3). */
const KNOWN_FLAGS = SAMPLED | RANDOM;

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ALL_ZERO = /^0+$/;

/** Members separated by commas, of visible characters; looked at no closer, because it is only passed on. */
const STATE = /^[\x20-\x7e\t]{1,8192}$/;

/**
 * Reads what somebody in front has written. Several lines of `traceparent`, which arrive joined, are none (section 3.2).
 *
 * @returns undefined for what is missing, or breaks a rule: a new trace begins then
 */
export function readTraceContext(
  parent: string | undefined,
  state: string | undefined,
): TraceContext | undefined {
  const match = parent === undefined ? null : PARENT.exec(parent);
  if (match === null) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = match;
  // Later versions may say more behind the four parts; this one may not, and ff is no version.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (ALL_ZERO.test(traceId) || ALL_ZERO.test(spanId)) return undefined;
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags, 16) & KNOWN_FLAGS,
    state: state !== undefined && STATE.test(state) ? state : undefined,
  };
}

/** The beginning of a trace. */
export function newTraceContext(random: Random, isSampled: boolean): TraceContext {
  return {
    traceId: idOf(random, 4),
    spanId: idOf(random, 2),
    flags: (isSampled ? SAMPLED : 0) | RANDOM,
    state: undefined,
  };
}

/** Whole lines, line ends included. */
export function traceLinesOf({ traceId, spanId, flags, state }: TraceContext): string {
  const parent = `${PREFIX}${traceId}-${spanId}-${flagsOf(flags)}\r\n`;
  return state === undefined ? parent : `${parent}tracestate: ${state}\r\n`;
}

const PREFIX = 'traceparent: 00-';
const SPAN_AT = PREFIX.length + 33;
const FLAGS_AT = SPAN_AT + 17;

/** Writes another span of the same trace into a line that is there. @param at where the line begins */
export function stampTraceLine(
  message: Buffer,
  at: number,
  { spanId, flags }: Pick<TraceContext, 'spanId' | 'flags'>,
): void {
  message.write(spanId, at + SPAN_AT, 'latin1');
  message.write(flagsOf(flags), at + FLAGS_AT, 'latin1');
}

function flagsOf(flags: number): string {
  return flags.toString(16).padStart(2, '0');
}

/** @param words of 32 bits */
function idOf(random: Random, words: number): string {
  let id = '';
  for (let word = 0; word < words; word++)
    id += (random.nextInt32() >>> 0).toString(16).padStart(8, '0');
  // One id in 2^64 is not one.
  return ALL_ZERO.test(id) ? idOf(random, words) : id;
}
