/** What is sent up and down: bytes in which no piece is like another, so that nothing can change places unnoticed. */
import { createCipheriv, createHash } from 'node:crypto';

/** @param seed 1 to 16 characters */
export function content(bytes: number, seed: string): Buffer {
  const key = Buffer.alloc(16);
  key.write(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

export function hashOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
