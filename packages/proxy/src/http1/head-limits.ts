/** How much of a message head is read before it is refused. */
export interface HeadLimits {
  /** Bytes of the whole head, start line and empty line included. 256..1,048,576, default 16,384. */
  readonly maxHeadBytes: number;
  /** Field lines. 1..1,000, default 100. */
  readonly maxFields: number;
  /** Bytes of a request target. 16..65,536, default 8,192. RFC 9112 section 3 wants at least 8,000. */
  readonly maxTargetBytes: number;
}

export const DEFAULT_HEAD_LIMITS: HeadLimits = Object.freeze({
  maxHeadBytes: 16_384,
  maxFields: 100,
  maxTargetBytes: 8_192,
});
