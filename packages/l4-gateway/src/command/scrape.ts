import type { createMetrics, MeteredCluster } from '@evenkeel/core/metrics';
import type { Scrape } from '../admin/answers.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { createGatewayMetrics } from '../metrics/index.ts';

/** Metrics of a gateway and its clusters, when somebody asks for them first; nothing without the package for them. */
export function scrapeOf(gateway: Gateway): Scrape {
  let making: ReturnType<typeof make> | undefined;
  return async () => {
    making ??= make(gateway);
    const made = await making;
    return made?.();
  };
}

async function make(gateway: Gateway): Promise<Scrape | undefined> {
  const loaded = await load();
  if (loaded === undefined) return undefined;
  const { registry } = loaded.createGatewayMetrics({ gateway });
  const clusters = loaded.createMetrics({ registry });
  let known: readonly MeteredCluster[] = [];
  return async () => {
    // A change of the configuration may have replaced some.
    const now = gateway.clusters;
    for (const cluster of known) if (!now.includes(cluster as never)) clusters.remove(cluster);
    for (const cluster of now) clusters.add(cluster);
    known = now;
    return { type: registry.contentType, body: await registry.metrics() };
  };
}

interface Loaded {
  readonly createGatewayMetrics: typeof createGatewayMetrics;
  readonly createMetrics: typeof createMetrics;
}

async function load(): Promise<Loaded | undefined> {
  try {
    const [ours, core] = await Promise.all([
      import('../metrics/index.ts'),
      import('@evenkeel/core/metrics'),
    ]);
    return {
      createGatewayMetrics: ours.createGatewayMetrics,
      createMetrics: core.createMetrics,
    };
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
