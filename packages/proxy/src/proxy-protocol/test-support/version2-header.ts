export const SIGNATURE: readonly number[] = [
  0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
];

export interface Version2Parts {
  /** Version and command. Default 0x21. */
  readonly command?: number;
  /** Family and transport. Default 0x11. */
  readonly family?: number;
  /** What follows the fixed part. */
  readonly following: readonly number[];
  /** Said to follow, if not what does. */
  readonly length?: number;
}

export function version2Header({
  command = 0x21,
  family = 0x11,
  following,
  length = following.length,
}: Version2Parts): Buffer {
  return Buffer.from([...SIGNATURE, command, family, length >> 8, length & 255, ...following]);
}

/** 192.0.2.1:56324 to 198.51.100.7:443. */
export const IPV4: readonly number[] = [192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 1, 0xbb];
