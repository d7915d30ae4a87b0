import { describe, expect, it } from 'vitest';
import { encodeHandshake, inspectHandshake } from './handshake.ts';

const answer = (options: { timeoutMs?: number; flag?: number; length?: number } = {}): Buffer => {
  const { timeoutMs = 4_000, flag, length = flag === undefined ? 36 : 37 } = options;
  const frame = Buffer.alloc(4 + length);
  frame.writeInt32BE(length, 0);
  frame.writeInt32BE(timeoutMs, 8);
  frame.writeInt32BE(16, 20);
  if (flag !== undefined) frame.writeUInt8(flag, 40);
  return frame;
};

describe('the handshake', () => {
  it('asks for a session, or for the one that there was', () => {
    const fresh = encodeHandshake({ sessionTimeoutMs: 9_000, resume: undefined, readOnly: false });
    expect(fresh).toHaveLength(49);
    expect(fresh.readInt32BE(0)).toBe(45);
    expect(fresh.readInt32BE(16)).toBe(9_000);
    expect(fresh.subarray(20, 28)).toEqual(Buffer.alloc(8));
    const id = Buffer.from('0102030405060708', 'hex');
    const password = Buffer.alloc(16, 7);
    const again = encodeHandshake({
      sessionTimeoutMs: 9_000,
      resume: { id, password },
      readOnly: true,
    });
    expect(again.subarray(20, 28)).toEqual(id);
    expect(again.subarray(32, 48)).toEqual(password);
    expect(again.readUInt8(48)).toBe(1);
  });

  it('knows an expired session and a server that serves reads only', () => {
    expect(inspectHandshake(answer())).toEqual({ expired: false, readOnly: false });
    expect(inspectHandshake(answer({ timeoutMs: 0 }))).toMatchObject({ expired: true });
    expect(inspectHandshake(answer({ flag: 0 }))).toMatchObject({ readOnly: false });
    expect(inspectHandshake(answer({ flag: 1 }))).toMatchObject({ readOnly: true });
  });

  it('refuses what is no answer to it', () => {
    expect(() => inspectHandshake(answer({ length: 35 }))).toThrow(/makes no sense/u);
    const refusal = Buffer.alloc(20);
    refusal.writeInt32BE(-119, 16);
    expect(() => inspectHandshake(refusal)).toThrow('the server gives no session: -119');
  });
});
