/** A parsed file, whatever its format: its content, and where in the text each part of it stands. */
export interface EndpointDocument {
  readonly value: unknown;
  /** Position of the value at a path such as `['endpoints', 3, 'port']`, or of the nearest part around it. */
  locate(path: DocumentPath): Position;
}

export type DocumentPath = readonly (string | number)[];

/** Both count from 1, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `line 3, column 7: reason`. Only the first line of a reason, and not more than 300 characters, is kept. */
export function describeAt({ line, column }: Position, reason: string): string {
  return `line ${line}, column ${column}: ${shorten(reason)}`;
}

/** Keys and values of a file may be of any length, messages may not. */
export function shorten(reason: string): string {
  const end = reason.indexOf('\n');
  const firstLine = end < 0 ? reason : reason.slice(0, end);
  return firstLine.length > 300 ? `${firstLine.slice(0, 300)}…` : firstLine;
}

/** The line and column of an offset into a text. */
export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let lineStart = 0;
  for (;;) {
    const newline = text.indexOf('\n', lineStart);
    if (newline < 0 || newline >= offset) return { line, column: offset - lineStart + 1 };
    line += 1;
    lineStart = newline + 1;
  }
}
