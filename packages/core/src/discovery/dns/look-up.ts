import { discoveryError } from '../discovery-error.ts';
import type { Question } from './accept.ts';
import { type Answer, type EmptyAnswer, MAX_ALIASES, readAnswer } from './answer.ts';
import type { DnsClient, QueryLimits } from './client.ts';
import type { DnsMessage } from './message.ts';
import { isPlainName } from './name.ts';

/** The end of a lookup, with the message it stood in (whose additional section may save queries). */
export type LookUpResult = {
  readonly message: DnsMessage;
  readonly answer: Exclude<Answer, { kind: 'alias' }>;
};

/**
 * Asks one question and follows aliases that leave the answer. The TTL is the least on the whole way.
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` when no server answers or the aliases lead nowhere
 */
export async function lookUp(
  client: Pick<DnsClient, 'query'>,
  question: Question,
  limits: QueryLimits,
): Promise<LookUpResult> {
  let { name } = question;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let hops = 0; hops <= MAX_ALIASES; hops += 1) {
    const message = await client.query({ name, type: question.type }, limits);
    const answer = readAnswer(message, { name, type: question.type });
    if (answer.kind === 'empty') return { message, answer: capped(answer, ttlSeconds) };
    ttlSeconds = Math.min(ttlSeconds, answer.ttlSeconds);
    if (answer.kind === 'records') return { message, answer: { ...answer, ttlSeconds } };
    if (!isPlainName(answer.target)) break;
    name = answer.target;
  }
  throw discoveryError(`${question.name}: its aliases lead nowhere`);
}

/** An empty end of a chain holds no longer than the aliases on the way to it. */
function capped(answer: EmptyAnswer, ttlSeconds: number): EmptyAnswer {
  if (ttlSeconds === Number.POSITIVE_INFINITY) return answer;
  return { ...answer, ttlSeconds: Math.min(ttlSeconds, answer.ttlSeconds ?? ttlSeconds) };
}
