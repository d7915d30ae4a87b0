import { RequestHead } from '../request-head.ts';
import { ResponseHead } from '../response-head.ts';
import { COMPLETE, INCOMPLETE, problemOf } from '../verdict.ts';

/** A verdict in words: `complete`, `incomplete`, or the status and the rule that was broken. */
export function words(verdict: number): string {
  if (verdict === INCOMPLETE) return 'incomplete';
  if (verdict === COMPLETE) return 'complete';
  const problem = problemOf(verdict);
  return `${problem?.status}: ${problem?.text}`;
}

export function readRequest(text: string | Buffer, head: RequestHead = new RequestHead()): string {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  return words(head.read(bytes, 0, bytes.length));
}

export function readResponse(text: string, head: ResponseHead = new ResponseHead()): string {
  const bytes = Buffer.from(text, 'latin1');
  return words(head.read(bytes, 0, bytes.length));
}
