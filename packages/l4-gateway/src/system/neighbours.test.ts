import { describe, expect, it } from 'vitest';
import { parseDefaultRoutes, parseNeighbours } from './neighbours.ts';

describe('parseDefaultRoutes', () => {
  const text = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth1\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0
`;

  it('finds routers, the best first, and leaves routes without one out', () => {
    expect(parseDefaultRoutes(text)).toEqual([
      { interface: 'eth0', gateway: '10.0.2.1', metric: 0 },
      { interface: 'eth1', gateway: '192.168.1.1', metric: 100 },
    ]);
  });

  it('finds none in an empty table', () => {
    expect(parseDefaultRoutes('Iface\tDestination\n')).toEqual([]);
  });
});

describe('parseNeighbours', () => {
  it('finds those that are known', () => {
    const text = `IP address       HW type     Flags       HW address            Mask     Device
10.0.2.1         0x1         0x2         02:00:00:00:02:01     *        eth0
10.0.2.9         0x1         0x0         00:00:00:00:00:00     *        eth0
`;
    expect(parseNeighbours(text)).toEqual([
      { address: '10.0.2.1', interface: 'eth0', mac: '02:00:00:00:02:01' },
    ]);
  });
});
