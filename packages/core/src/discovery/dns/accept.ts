import { type DnsMessage, decodeMessage, ResponseCode } from './message.ts';
import type { RecordType } from './record-data.ts';

/** What is asked: a name that `normalizeName` returned, and a type. */
export interface Question {
  readonly name: string;
  readonly type: RecordType;
}

const CLASS_IN = 1;

/**
 * Makes the judge of what comes back for a query (RFC 5452 section 9.1): the id first, since a datagram with another id may
 * be a late answer or a forgery and says nothing about the server; then the form; then the question.
 *
 * @returns a function that gives the answer, or undefined for what is to be passed over, and throws for garbage under
 * the right id
 */
export function createAcceptor(
  id: number,
  question: Question,
): (bytes: Uint8Array) => DnsMessage | undefined {
  return (bytes) => {
    if (bytes.length < 2 || (((bytes[0] as number) << 8) | (bytes[1] as number)) !== id) {
      return undefined;
    }
    const message = decodeMessage(bytes);
    return answersQuestion(message, question) ? message : undefined;
  };
}

function answersQuestion({ questions, responseCode }: DnsMessage, question: Question): boolean {
  const [asked] = questions;
  if (asked === undefined) {
    // Servers that could not read the query, or will not, may leave the question out; they answer nothing with that.
    return responseCode !== ResponseCode.noError && responseCode !== ResponseCode.nameError;
  }
  return asked.name === question.name && asked.type === question.type && asked.class === CLASS_IN;
}
