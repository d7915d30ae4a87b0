import { argumentError } from '../error/bpf-error.ts';

/**
 * How a C value lies in memory, and how it looks in TypeScript.
 *
 * Generated modules build these from BTF, the type information that the compiler leaves in the object, so the two
 * sides cannot drift apart.
 */
export interface Codec<T> {
  /** `sizeof` of the C type. */
  readonly bytes: number;
  /** The C type, for messages. */
  readonly type: string;
  /**
   * Writes `value` at `offset`. The bytes there are zero already: padding has to be, because the kernel compares keys
   * byte by byte.
   *
   * @throws BpfError `EVENKEEL_BPF_ARGUMENT` when the value does not fit the type
   */
  encode(value: T, view: DataView, offset: number): void;
  decode(view: DataView, offset: number): T;
}

/** The TypeScript side of a codec. */
export type Decoded<C> = C extends Codec<infer T> ? T : never;

/** A value as the bytes of its C type, in memory of its own. */
export function encodeValue<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  const buffer = new ArrayBuffer(codec.bytes);
  codec.encode(value, new DataView(buffer), 0);
  return new Uint8Array(buffer);
}

/**
 * A value from the bytes of its C type; bytes after it are left alone.
 *
 * @throws BpfError `EVENKEEL_BPF_ARGUMENT` when there are too few bytes
 */
export function decodeValue<T>(codec: Codec<T>, bytes: Uint8Array): T {
  if (bytes.length < codec.bytes) {
    throw argumentError(`${codec.type} takes ${codec.bytes} bytes, got ${bytes.length}`);
  }
  return codec.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
}
