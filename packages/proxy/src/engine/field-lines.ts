/** Copies the field lines of a message that pass, in runs: most heads are one or two copies. */
import type { FieldIndex } from '../http1/field-index.ts';
import type { Output } from '../socket/output.ts';

/** As many as any head may have. */
const MAX_LINES = 1_000;

/** Which lines of the message at hand pass: 1 for yes. */
export const passes: Uint8Array = new Uint8Array(MAX_LINES);

export function copyPassing(output: Output, bytes: Buffer, fields: FieldIndex): void {
  let runFrom = -1;
  const { count } = fields;
  for (let line = 0; line < count; line++) {
    if (passes[line] === 1) {
      if (runFrom < 0) runFrom = fields.nameFrom(line);
    } else if (runFrom >= 0) {
      output.copy(bytes, runFrom, fields.nameFrom(line));
      runFrom = -1;
    }
  }
  if (runFrom >= 0) output.copy(bytes, runFrom, fields.linesEnd);
}

/** Lines of that name do not pass. @param name in lower case */
export function dropNamed(fields: FieldIndex, bytes: Buffer, name: string): void {
  for (let line = 0; line < fields.count; line++) {
    const from = fields.nameFrom(line);
    const to = fields.nameTo(line);
    if (to - from === name.length && bytes.toString('latin1', from, to).toLowerCase() === name)
      passes[line] = 0;
  }
}
