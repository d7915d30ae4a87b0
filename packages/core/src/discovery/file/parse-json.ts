import { messageOf } from '../../error/evenkeel-error.ts';
import { discoveryError } from '../discovery-error.ts';
import { describeAt, type EndpointDocument, positionAt } from './document.ts';
import { findJsonError, findJsonValue } from './json-scanner.ts';

/** Reads JSON. @throws EvenkeelError `EVENKEEL_DISCOVERY` with line, column and reason */
export function parseJson(text: string): EndpointDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const position = positionAt(text, findJsonError(text) ?? 0);
    throw discoveryError(describeAt(position, reasonOf(error)), error);
  }
  return { value, locate: (path) => positionAt(text, findJsonValue(text, path)) };
}

/** The parser's words without its own position and quotation of the source. */
function reasonOf(error: unknown): string {
  return messageOf(error).replace(
    /( in JSON)? at position .*$|, (?:\.\.\.)?".*" is not valid JSON$/s,
    '',
  );
}
