import { isSaneAnswer, type ProbeAnswer } from './load-report.ts';

/** Longest answer that is read, in bytes. */
export const MAX_ANSWER_BYTES = 1_024;

/** An answer on the wire: `{"rif":3,"latencyMs":12.5,"errorRatio":0}`. */
export function encodeProbeAnswer(answer: ProbeAnswer): string {
  const { requestsInFlight, latencyMs, errorRatio } = answer;
  return `{"rif":${requestsInFlight},"latencyMs":${rounded(latencyMs)},"errorRatio":${rounded(errorRatio)}}`;
}

/**
 * Reads an answer. `rif` must be there; the others may be left out, and further fields are passed over, so that a server
 * that only counts its requests can answer as well.
 *
 * @returns undefined for what is no answer, or says what cannot be
 */
export function decodeProbeAnswer(text: string): ProbeAnswer | undefined {
  if (text.length > MAX_ANSWER_BYTES) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { rif, latencyMs = 0, errorRatio = 0 } = fields as Readonly<Record<string, unknown>>;
  if (typeof rif !== 'number' || typeof latencyMs !== 'number' || typeof errorRatio !== 'number')
    return undefined;
  const answer = { requestsInFlight: rif, latencyMs, errorRatio };
  return isSaneAnswer(answer) ? answer : undefined;
}

/** Four digits are more than the estimates are worth. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
