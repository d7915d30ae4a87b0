import { expect, it } from 'vitest';
import { probeSecureWrites, usesUpSecureWrites } from './secure-write-probe.ts';

it('a secure socket is done with the bytes of a write when the call returns', async () => {
  expect(usesUpSecureWrites()).toBe(false);
  expect(await probeSecureWrites()).toBe(true);
  expect(usesUpSecureWrites()).toBe(true);
});
