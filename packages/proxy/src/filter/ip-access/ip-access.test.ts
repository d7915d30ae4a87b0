import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../test-support/fake-request.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { IpAccessOptions } from './schema.ts';

async function isLetIn(options: IpAccessOptions, clientAddress: string, peer = '192.0.2.1') {
  const filter = await makeFilter({ ipAccess: options });
  return filter.onRequest?.(fakeRequest('GET / HTTP/1.1', { clientAddress, peer })) === undefined;
}

describe('ipAccess', () => {
  it.each<[IpAccessOptions, string, boolean]>([
    [{ allow: ['10.0.0.0/8'] }, '10.9.9.9', true],
    [{ allow: ['10.0.0.0/8'] }, '11.0.0.1', false],
    [{ allow: [] }, '10.0.0.1', false],
    [{ deny: ['10.0.0.0/8'] }, '10.0.0.1', false],
    [{ deny: ['10.0.0.0/8'] }, '11.0.0.1', true],
    [{ deny: ['10.0.0.0/8'] }, '::ffff:10.0.0.1', false],
    [{ deny: ['2001:db8::/32'] }, '2001:db8:1::1', false],
    [{ deny: ['2001:db8::/32'] }, '2001:db9::1', true],
    // The smallest network decides.
    [{ allow: ['10.1.2.3'], deny: ['10.0.0.0/8'] }, '10.1.2.3', true],
    [{ allow: ['10.1.2.3'], deny: ['10.0.0.0/8'] }, '10.1.2.4', false],
    [{ allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] }, '10.1.2.3', false],
    [{ allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] }, '10.2.2.3', true],
    [{ allow: ['0.0.0.0/0', '::/0'], deny: ['10.1.0.0/16'] }, '2001:db8::1', true],
    [{ allow: ['10.0.0.0/8'] }, 'unknown', false],
  ])('%j: %s %s', async (options, address, expected) => {
    expect(await isLetIn(options, address)).toBe(expected);
  });

  it('looks at the client, or at the peer', async () => {
    expect(await isLetIn({ deny: ['10.0.0.1'] }, '10.0.0.1', '10.0.0.2')).toBe(false);
    expect(await isLetIn({ deny: ['10.0.0.1'], by: 'peer' }, '10.0.0.1', '10.0.0.2')).toBe(true);
  });

  it('refuses with the status that it is told', async () => {
    const filter = await makeFilter({ ipAccess: { allow: [], status: 404 } });
    expect(filter.onRequest?.(fakeRequest())).toEqual({ status: 404, reason: 'address-denied' });
  });

  it.each([
    [{}, 'at least one of allow and deny'],
    [{ allow: ['10.0.0.0/40'] }, 'ipAccess.allow[0]: expected an address or a network'],
    [{ allow: ['10.0.0.0/8'], deny: ['10.9.0.0/8'] }, 'ipAccess.deny[0]'],
  ])('refuses %j', async (options, message) => {
    expect(await faultOf({ ipAccess: options })).toContain(message);
  });
});
