import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonError, findJsonValue } from './json-scanner.ts';

const seeded = { seed: 20_300_101, numRuns: 500 };

/** A JSON text with white space in odd places, and its value. */
const document = fc
  .tuple(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 4 }))
  .map(([text, indent]) => JSON.stringify(JSON.parse(text), undefined, indent));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('json scanner', () => {
  it('finds no error in JSON', () => {
    fc.assert(
      fc.property(document, (text) => {
        expect(findJsonError(text)).toBeUndefined();
      }),
      seeded,
    );
  });

  it('agrees with JSON.parse on what is broken, after any small change', () => {
    const change = fc.record({
      at: fc.nat(200),
      remove: fc.nat(3),
      insert: fc.string({ maxLength: 2, unit: fc.constantFrom(...'{}[],:"\\u0e-.tn \n\u0000') }),
    });
    fc.assert(
      fc.property(document, change, (text, { at, remove, insert }) => {
        const changed = text.slice(0, at) + insert + text.slice(at + remove);
        expect(findJsonError(changed) === undefined).toBe(isJson(changed));
      }),
      seeded,
    );
  });

  it('finds the text of the value at every path', () => {
    fc.assert(
      fc.property(document, (text) => {
        for (const { path, value } of pathsOf(JSON.parse(text), [])) {
          const rest = text.slice(findJsonValue(text, path));
          expect(rest.startsWith(JSON.stringify(value).slice(0, 1))).toBe(true);
          if (typeof value !== 'object') expect(rest.startsWith(JSON.stringify(value))).toBe(true);
        }
      }),
      seeded,
    );
  });
});

interface Place {
  readonly path: (string | number)[];
  readonly value: unknown;
}

function pathsOf(value: unknown, path: (string | number)[]): Place[] {
  const here = { path, value };
  if (typeof value !== 'object' || value === null) return [here];
  const list = Array.isArray(value);
  const children = Object.entries(value).flatMap(([key, child]) =>
    pathsOf(child, [...path, list ? Number(key) : key]),
  );
  return [here, ...children];
}
