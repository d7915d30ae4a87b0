/** Makes the first message of a TLS client, good or bad as a test wants it. */

export interface HelloOptions {
  readonly name?: string | Buffer | undefined;
  /** Beside the one for the name: type and content. */
  readonly extensions?: readonly (readonly [number, Buffer])[];
  /** No extensions at all, not even an empty list. */
  readonly bare?: boolean;
  readonly sessionBytes?: number;
}

/** A vector with its length in front (RFC 8446 section 3.4). */
export function vector(lengthBytes: 1 | 2 | 3, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const head = Buffer.alloc(lengthBytes);
  head.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([head, content]);
}

export function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, content)]);
}

/** The content of `server_name` (RFC 6066 section 3). */
export function serverNames(...names: readonly (string | Buffer)[]): Buffer {
  const entries = names.map((name) =>
    Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name as string, 'latin1'))]),
  );
  return vector(2, ...entries);
}

/** The message, with its header of four bytes. */
export function helloMessage(options: HelloOptions = {}): Buffer {
  const { name, extensions = [], bare = false, sessionBytes = 32 } = options;
  const all = [
    ...extensions.map(([type, content]) => extension(type, content)),
    ...(name === undefined ? [] : [extension(0, serverNames(name))]),
  ];
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(sessionBytes, 9)),
    vector(2, Buffer.from([0x13, 0x01, 0x13, 0x02])),
    vector(1, Buffer.from([0])),
    ...(bare ? [] : [vector(2, ...all)]),
  ]);
  return Buffer.concat([Buffer.from([1]), vector(3, body)]);
}

/** Records that carry a message in fragments of these sizes; the last one takes what is left. */
export function records(message: Buffer, sizes: readonly number[] = []): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, message.length]) {
    const fragment = message.subarray(at, at + size);
    if (fragment.length === 0) continue;
    parts.push(Buffer.from([22, 3, 1]), vector(2, fragment));
    at += size;
  }
  return Buffer.concat(parts);
}
