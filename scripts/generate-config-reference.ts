/**
 * Writes docs/reference/cluster-config.md, proxy-config.md, gateway-config.md and gateway-metrics.md from the code. A test
 * fails when a page is stale.
 *
 *   npm run reference
 */
import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { clusterJsonSchema } from '@evenkeel/core';
import { consulSource } from '@evenkeel/core/consul';
import { etcdSource } from '@evenkeel/core/etcd';
import { zookeeperSource } from '@evenkeel/core/zookeeper';
import { gatewayJsonSchema } from '@evenkeel/l4-gateway';
import { GATEWAY_METRICS } from '@evenkeel/l4-gateway/metrics';
import { proxyJsonSchema } from '@evenkeel/proxy';
import { renderMetrics } from './reference/gateway-metrics.ts';
import { GATEWAY_PAGE } from './reference/gateway-page.ts';
import { PROXY_PAGE } from './reference/proxy-page.ts';
import { renderReference } from './reference/render.ts';

/** Where the page stands. */
export const REFERENCE_FILE: URL = new URL('../docs/reference/cluster-config.md', import.meta.url);

/** The page as it has to be, formatted as the repository is. */
export async function configReference(): Promise<string> {
  const sources = [consulSource, etcdSource, zookeeperSource];
  const page = renderReference({
    code: clusterJsonSchema({ form: 'code', sources }),
    file: clusterJsonSchema({ form: 'file', sources }),
  });
  return format(page, { ...(await resolveConfig(REFERENCE_FILE)), parser: 'markdown' });
}

/** Where the page about gateways stands. */
export const GATEWAY_REFERENCE_FILE: URL = new URL(
  '../docs/reference/gateway-config.md',
  import.meta.url,
);

/** The page about gateways. */
export async function gatewayReference(): Promise<string> {
  const page = renderReference(
    { code: gatewayJsonSchema({ form: 'code' }), file: gatewayJsonSchema({ form: 'file' }) },
    GATEWAY_PAGE,
  );
  return format(page, { ...(await resolveConfig(GATEWAY_REFERENCE_FILE)), parser: 'markdown' });
}

/** Where the page about proxies stands. */
export const PROXY_REFERENCE_FILE: URL = new URL(
  '../docs/reference/proxy-config.md',
  import.meta.url,
);

/** The page about proxies. */
export async function proxyReference(): Promise<string> {
  const page = renderReference(
    { code: proxyJsonSchema({ form: 'code' }), file: proxyJsonSchema({ form: 'file' }) },
    PROXY_PAGE,
  );
  return format(page, { ...(await resolveConfig(PROXY_REFERENCE_FILE)), parser: 'markdown' });
}

/** Where the page about the metrics of gateways stands. */
export const GATEWAY_METRICS_FILE: URL = new URL(
  '../docs/reference/gateway-metrics.md',
  import.meta.url,
);

/** The page about the metrics of gateways. */
export async function gatewayMetricsReference(): Promise<string> {
  return format(renderMetrics(GATEWAY_METRICS), {
    ...(await resolveConfig(GATEWAY_METRICS_FILE)),
    parser: 'markdown',
  });
}

if (import.meta.main) {
  writeFileSync(REFERENCE_FILE, await configReference());
  writeFileSync(GATEWAY_REFERENCE_FILE, await gatewayReference());
  writeFileSync(PROXY_REFERENCE_FILE, await proxyReference());
  writeFileSync(GATEWAY_METRICS_FILE, await gatewayMetricsReference());
}
