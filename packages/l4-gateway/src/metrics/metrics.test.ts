import { describe, expect, it } from 'vitest';
import type { GatewayStatus, RealStatus } from '../gateway/status.ts';
import { createGatewayMetrics, type MeteredGateway } from './index.ts';

const real = (address: string): RealStatus => ({
  ...{ address, role: 'active', weight: 2, state: 'healthy', reason: 'new' },
  ...{ drainsForMs: undefined, packets: 7n, bytes: 700n },
});

function gateway(reals: readonly string[]): MeteredGateway {
  const status = {
    ready: true,
    refusedConfig: undefined,
    adopted: false,
    uptimeMs: 1_500,
    tableBytes: 4_096,
    packets: { newFlow: 3n, passedNoVip: 4n, noReal: 5n },
    vips: [
      {
        name: '203.0.113.10:443/tcp',
        ...{ ready: true, packets: 9n, bytes: 900n, reals: reals.map(real) },
      },
    ],
  } as unknown as GatewayStatus;
  return {
    status: () => status,
    cpuTraffic: () => [
      { packets: 8n, bytes: 0n },
      { packets: 1n, bytes: 0n },
    ],
    fill: () => ({
      vips: { used: 1, size: 512 },
      targets: { used: 2, size: 4_095 },
      flows: { size: 1_000, usedRatio: 0.25 },
    }),
  };
}

const scrape = async (metered: MeteredGateway, maxReals?: number): Promise<string> =>
  createGatewayMetrics({ gateway: metered, maxReals }).registry.metrics();

describe('createGatewayMetrics', () => {
  it('tells VIPs, reals, CPUs and reasons apart', async () => {
    const text = await scrape(gateway(['10.0.0.1']));
    for (const line of [
      'evenkeel_gateway_vip_packets_total{vip="203.0.113.10:443/tcp"} 9',
      'evenkeel_gateway_real_bytes_total{vip="203.0.113.10:443/tcp",real="10.0.0.1"} 700',
      'evenkeel_gateway_vip_reals{vip="203.0.113.10:443/tcp",role="failed"} 0',
      'evenkeel_gateway_cpu_packets_total{cpu="1"} 1',
      'evenkeel_gateway_new_flows_total 3',
      'evenkeel_gateway_passed_packets_total{reason="passed_no_vip"} 4',
      'evenkeel_gateway_dropped_packets_total{reason="no_real"} 5',
      'evenkeel_gateway_flow_cache_fill_ratio 0.25',
      'evenkeel_gateway_uptime_seconds 1.5',
      'evenkeel_gateway_config_refused 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('bounds the number of series, and says how many reals go without', async () => {
    const text = await scrape(gateway(['10.0.0.1', '10.0.0.2', '10.0.0.3']), 2);
    expect(text).toContain('real="10.0.0.2"');
    expect(text).not.toContain('real="10.0.0.3"');
    expect(text).toContain('evenkeel_gateway_reals_unlabelled 1');
  });

  it('reads the gateway once for a scrape', async () => {
    const metered = gateway([]);
    let count = 0;
    await scrape({ ...metered, status: () => ((count += 1), metered.status()) });
    expect(count).toBe(1);
  });

  it('takes everything out of a registry again', async () => {
    const metrics = createGatewayMetrics({ gateway: gateway([]) });
    metrics.close();
    expect(await metrics.registry.metrics()).toBe('\n');
  });

  it.each([
    [{ prefix: '1x' }, /prefix/u],
    [{ maxReals: -1 }, /maxReals/u],
  ])('refuses %j', (options, message) => {
    expect(() => createGatewayMetrics({ gateway: gateway([]), ...options })).toThrow(message);
  });
});
