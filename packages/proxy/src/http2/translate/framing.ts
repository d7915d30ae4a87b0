/** How the body of a message is delimited in its HTTP/1.1 form, on its way to the engine or from it. */
export const Framing = {
  none: 0,
  length: 1,
  chunked: 2,
  /** Bytes as they come, to the end of the direction. */
  raw: 3,
} as const;

export type Framing = (typeof Framing)[keyof typeof Framing];
