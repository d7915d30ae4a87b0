/** What the admin server answers, apart from how it is reached. */
import { isIP } from 'node:net';
import { isEvenkeelError } from '@evenkeel/core';
import type { CachedFlow } from '../forwarder/flow-dump.ts';
import { wrong } from '../forwarder/address.ts';
import type { Flow, Protocol } from '../forwarder/vip.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { statusJson } from '../gateway/status.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Text in Prometheus' format with its content type; undefined when the package for it is not installed. */
export type Scrape = () => Promise<{ readonly type: string; readonly body: string } | undefined>;

const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});
const json = (value: unknown): Answer => ({
  status: 200,
  type: 'application/json',
  body: `${statusJson(value)}\n`,
});

const PLACES = '/status /explain?vip=&client= /flows /metrics /healthz /readyz';

/**
 * - `/healthz`: 200 while the process works
 * - `/readyz`: 200 while every VIP has a real for new flows, else 503: what announces routes asks here
 * - `/status`: everything as JSON
 * - `/explain?vip=10.0.0.1:80/tcp&client=192.0.2.1:40000`: which real, and why
 * - `/flows?vip=&client=&real=&limit=`: what the flow cache remembers
 * - `/metrics`: for Prometheus
 */
export async function answer(gateway: Gateway, url: URL, scrape: Scrape): Promise<Answer> {
  switch (url.pathname) {
    case '/healthz':
      return text(200, 'ok');
    case '/readyz':
      return gateway.isReady ? text(200, 'ready') : text(503, 'a VIP has no real for new flows');
    case '/status':
      return json(gateway.status());
    case '/explain':
      return explain(gateway, url);
    case '/flows':
      return flows(gateway, url);
    case '/metrics': {
      const scraped = await scrape();
      if (scraped === undefined)
        return text(501, 'metrics need a package: npm install prom-client');
      return { status: 200, ...scraped };
    }
    default:
      return text(404, `nothing here; try ${PLACES}`);
  }
}

const MAX_FLOWS = 10_000;
const DEFAULT_FLOWS = 100;

function flows(gateway: Gateway, { searchParams: query }: URL): Answer {
  const limit = Number(query.get('limit') ?? DEFAULT_FLOWS);
  if (!(Number.isInteger(limit) && limit >= 0 && limit <= MAX_FLOWS)) {
    return text(400, `limit: expected an integer from 0 to ${MAX_FLOWS}`);
  }
  const wanted = { vip: query.get('vip'), client: query.get('client'), real: query.get('real') };
  const keep = ({ vip, client, real }: CachedFlow): boolean =>
    (wanted.vip === null || vip === wanted.vip) &&
    (wanted.real === null || real === wanted.real) &&
    // An address alone stands for all its ports.
    (wanted.client === null || client === wanted.client || client?.split(':')[0] === wanted.client);
  return json(gateway.flows({ limit, keep }));
}

function explain(gateway: Gateway, url: URL): Answer {
  try {
    const { vip = '', client = '' } = Object.fromEntries(url.searchParams);
    return json(gateway.explain(flowOf(vip, client)));
  } catch (error) {
    if (isEvenkeelError(error, 'EVENKEEL_CONFIG')) return text(400, error.message);
    throw error;
  }
}

/**
 * @param vip `10.0.0.1:80/tcp`; `/tcp` may be left out
 * @param client `192.0.2.1:40000`
 * @throws ConfigError for anything else
 */
export function flowOf(vip: string, client: string): Flow {
  const [place = '', protocol = 'tcp'] = vip.split('/');
  if (protocol !== 'tcp' && protocol !== 'udp') throw wrong('vip', '10.0.0.1:80/tcp', vip);
  const to = placeOf(place);
  const from = placeOf(client);
  if (to === undefined) throw wrong('vip', 'address, port and protocol: 10.0.0.1:80/tcp', vip);
  if (from === undefined) throw wrong('client', 'address and port: 192.0.2.1:40000', client);
  return {
    source: from.address,
    sourcePort: from.port,
    destination: to.address,
    destinationPort: to.port,
    protocol: protocol satisfies Protocol,
  };
}

function placeOf(text: string): { readonly address: string; readonly port: number } | undefined {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:]+)):(?<port>\d{1,5})$/u.exec(text);
  const address = match?.groups?.['six'] ?? match?.groups?.['four'] ?? '';
  const port = Number(match?.groups?.['port'] ?? Number.NaN);
  return isIP(address) !== 0 && port <= 65_535 ? { address, port } : undefined;
}
