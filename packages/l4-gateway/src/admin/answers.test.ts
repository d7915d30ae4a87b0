import { describe, expect, it } from 'vitest';
import { flowOf } from './answers.ts';

describe('flowOf', () => {
  it.each([
    ['10.0.0.1:80', '192.0.2.1:40000', ['10.0.0.1', 80, 'tcp', '192.0.2.1', 40_000]],
    ['10.0.0.1:53/udp', '192.0.2.1:1', ['10.0.0.1', 53, 'udp', '192.0.2.1', 1]],
    ['[2001:db8::1]:80/tcp', '[2001:db8::2]:9', ['2001:db8::1', 80, 'tcp', '2001:db8::2', 9]],
  ])('reads %s from %s', (vip, client, wanted) => {
    const { destination, destinationPort, protocol, source, sourcePort } = flowOf(vip, client);
    expect([destination, destinationPort, protocol, source, sourcePort]).toEqual(wanted);
  });

  it.each([
    ['10.0.0.1', '192.0.2.1:1'],
    ['10.0.0.1:80/sctp', '192.0.2.1:1'],
    ['10.0.0.1:80', '192.0.2.1'],
    ['10.0.0.1:70000', '192.0.2.1:1'],
    ['web:80', '192.0.2.1:1'],
    ['', ''],
  ])('refuses %s from %s', (vip, client) => {
    expect(() => flowOf(vip, client)).toThrow(/expected/u);
  });
});
