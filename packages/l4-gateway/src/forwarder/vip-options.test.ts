import { describe, expect, it } from 'vitest';
import { VipFlag } from './generated/forwarder.ts';
import { parseVipOptions, type VipOptions } from './vip-options.ts';

describe('options of a VIP', () => {
  it('have defaults that ask for nothing', () => {
    expect(parseVipOptions()).toMatchObject({
      flags: 0,
      deadReals: 'rehash',
      idle: { tcp: 9_000, closing: 30, udp: 60 },
    });
  });

  it.each<[VipOptions, number]>([
    [{ hash: 'no-source-port' }, VipFlag.VIP_NO_SOURCE_PORT],
    [{ fragments: 'three-tuple', echo: 'drop' }, VipFlag.VIP_THREE_TUPLE | VipFlag.VIP_NO_ECHO],
    [{ options: 'forward', quic: { serverIdBytes: 4 } }, VipFlag.VIP_OPTIONS | VipFlag.VIP_QUIC],
  ])('%j are flags of the program', (options, flags) => {
    expect(parseVipOptions(options).flags).toBe(flags);
  });

  it('round times up to whole seconds', () => {
    const { idle } = parseVipOptions({
      flowTimeouts: { tcpMs: 1_001, closingMs: 1_000, udpMs: 28_800_000 },
    });
    expect(idle).toEqual({ tcp: 2, closing: 1, udp: 28_800 });
  });

  it.each<[object, string]>([
    [{ hash: 'toString' }, 'hash: expected one of "5-tuple"'],
    [{ fragments: 'keep' }, 'fragments: expected one of "drop", "three-tuple"'],
    [{ options: 'pass' }, 'options: expected one of'],
    [{ echo: '' }, 'echo: expected one of'],
    [{ deadReals: 'forget' }, 'deadReals: expected one of "rehash", "keep", "reset"'],
    [{ quic: { serverIdBytes: 0 } }, 'quic.serverIdBytes: expected an integer from 1 to 8'],
    [{ quic: { serverIdBytes: 1.5 } }, 'quic.serverIdBytes'],
    [{ flowTimeouts: { udpMs: 999 } }, 'flowTimeouts.udpMs: expected a number of milliseconds'],
    [{ flowTimeouts: { tcpMs: 28_800_001 } }, 'flowTimeouts.tcpMs'],
    [{ flowTimeouts: { closingMs: Number.NaN } }, 'flowTimeouts.closingMs'],
  ])('%j are refused', (options, message) => {
    expect(() => parseVipOptions(options)).toThrow(message);
  });
});
