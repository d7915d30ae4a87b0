import type { Scheduler } from '../../runtime/scheduler.ts';
import type { Exchange } from './exchange.ts';
import { exchangeTcp } from './tcp-exchange.ts';
import { exchangeUdp } from './udp-exchange.ts';

/** The real network. */
export function createNetworkExchange(scheduler: Scheduler): Exchange {
  return (request) =>
    request.protocol === 'udp' ? exchangeUdp(request, scheduler) : exchangeTcp(request, scheduler);
}
