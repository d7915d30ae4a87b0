import { describe, expect, it } from 'vitest';
import { runReal } from './command.ts';
import { parseRealOptions, type RealOptions } from './options.ts';
import { measureRoom } from './room.ts';

const least: RealOptions = { vips: ['10.200.1.1'], interface: 'eth0' };

describe('options of a real', () => {
  it('have defaults that fit the defaults of a gateway', () => {
    expect(parseRealOptions(least)).toMatchObject({
      vips: [{ text: '10.200.1.1/32' }],
      encapsulations: ['ipip', 'gue', 'gre'],
      gateways: [{ text: '172.16.0.0/16' }, { text: '100::/96' }],
      guePort: 6_080,
      hook: 'auto',
      mode: 'auto',
      mss: 'auto',
      stateFolder: '/run/evenkeel',
    });
  });

  it.each<[string, Partial<RealOptions>]>([
    ['vips', { vips: [] }],
    ['vips[1]', { vips: ['10.0.0.1', 'x'] }],
    ['interface', { interface: '../x' }],
    ['interface', { interface: 'a name that is long' }],
    ['interface', { interface: '' }],
    ['encapsulations', { encapsulations: [] }],
    ['encapsulations', { encapsulations: ['vxlan' as 'gre'] }],
    ['gateways[0]', { gateways: ['10.0.0.1/8'] }],
    ['gateways', { gateways: [] }],
    ['addresses[0]', { addresses: ['real.example'] }],
    ['guePort', { guePort: 0 }],
    ['hook', { hook: 'tcx' as 'tc' }],
    ['mode', { mode: 'skb' as 'generic' }],
    ['mss', { mss: 535 }],
    ['mss', { mss: 'small' as 'auto' }],
  ])('refuse a wrong %s', (path, change) => {
    expect(() => parseRealOptions({ ...least, ...change })).toThrow(`${path}: expected`);
  });
});

describe('the room in an MTU', () => {
  const at = (mtu: number, change: Partial<RealOptions> = {}) => {
    const parsed = parseRealOptions({ addresses: ['10.0.0.1'], ...least, ...change });
    return measureRoom(parsed, { mtu, addresses: parsed.addresses ?? [] });
  };

  it.each([
    ['IP in IP, IPv4', { encapsulations: ['ipip'] }, 20],
    ['GRE, IPv4', { encapsulations: ['gre', 'ipip'] }, 24],
    ['GUE, IPv4', {}, 28],
    ['IP in IP, IPv6', { encapsulations: ['ipip'], addresses: ['10.0.0.1', 'fc00::1'] }, 40],
    ['GUE, IPv6', { addresses: ['fc00::1'] }, 48],
  ] as const)('is what %s leaves', (_what, change, overhead) => {
    expect(at(1_500 + overhead, change)).toEqual({
      overhead,
      largestMss: { ipv4: 0, ipv6: 0 },
      warning: undefined,
    });
    const mtu = 1_500 + overhead - 1;
    const { largestMss, warning } = at(mtu, change);
    // What a client on Ethernet would send, less the byte that is missing.
    expect(largestMss).toEqual({ ipv4: 1_459, ipv6: 1_439 });
    expect(warning).toContain(`mtu ${1_500 + overhead}`);
  });

  it('is not used where the system decides, with another warning', () => {
    const { largestMss, warning } = at(1_500, { mss: 'keep' });
    expect(largestMss).toEqual({ ipv4: 0, ipv6: 0 });
    expect(warning).toContain('uploads stall');
  });

  it('is what one says', () => {
    expect(at(9_000, { mss: 1_300 }).largestMss).toEqual({ ipv4: 1_300, ipv6: 1_300 });
  });
});

describe('the command', () => {
  const run = async (...args: string[]) => {
    const lines: string[] = [];
    const status = await runReal(args, {
      print: (line) => lines.push(line),
      complain: (line) => lines.push(line),
    });
    return { status, text: lines.join('\n') };
  };

  it.each([
    [['--vip', '10.0.0.1'], '--interface: expected'],
    [['--interface', 'eth0'], 'vips: expected'],
    [['--interface', 'eth0', '--vip', 'x'], 'vips[0]: expected'],
    [['--interface', 'eth0', '--vip', '10.0.0.1', '--mss', 'tiny'], 'mss: expected'],
    [['--interface', 'eth0', '--vip', '10.0.0.1', '--gue-port', 'x'], 'guePort: expected'],
    [['--surprise'], '--surprise'],
    [['more'], 'more'],
  ])('refuses %j with status 2', async (args, message) => {
    const { status, text } = await run(...args);
    expect(status).toBe(2);
    expect(text).toContain(message);
  });

  it('says how it is used', async () => {
    const { status, text } = await run('--help');
    expect(status).toBe(0);
    expect(text).toContain('--undo');
  });
});
