import { discoveryError } from '../discovery-error.ts';

/** Endpoint files are five levels deep at most; a cycle made with an alias has no end. */
const MAX_DEPTH = 16;

/**
 * Refuses a value that is deeper or larger than an endpoint file can be. YAML aliases let a few lines stand for
 * gigabytes once they are written out (the "billion laughs"), and validation and error messages do write out, so
 * shared parts are counted as often as they appear.
 *
 * @param maxSize characters of text plus eight per value
 * @param maxDepth levels of lists and objects
 * @throws EvenkeelError `EVENKEEL_DISCOVERY`
 */
export function assertBounded(value: unknown, maxSize: number, maxDepth: number = MAX_DEPTH): void {
  let size = 0;
  const visit = (part: unknown, depth: number): void => {
    if (depth > maxDepth) throw discoveryError(`nested deeper than ${maxDepth} levels`);
    size += typeof part === 'string' ? 8 + part.length : 8;
    if (size > maxSize) {
      throw discoveryError('its aliases expand to more than such a file may hold');
    }
    if (typeof part !== 'object' || part === null) return;
    for (const [key, child] of Object.entries(part)) {
      size += key.length;
      visit(child, depth + 1);
    }
  };
  visit(value, 0);
}
