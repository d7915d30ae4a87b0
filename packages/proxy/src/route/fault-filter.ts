/** Faults on purpose, for a part of the requests: the first filter of its route. */
import type { Random, Scheduler } from '@evenkeel/core';
import type { FaultConfig } from '../config/route-feature-schema.ts';
import type { Filter, FilterAnswer, FilterRequest } from '../filter/filter.ts';

export interface FaultPorts {
  readonly random: Random;
  readonly scheduler: Scheduler;
}

export class FaultFilter implements Filter {
  readonly name = 'fault';
  readonly #config: FaultConfig;
  readonly #ports: FaultPorts;

  constructor(config: FaultConfig, ports: FaultPorts) {
    this.#config = config;
    this.#ports = ports;
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined | Promise<undefined> {
    const { delay, abort, header } = this.#config;
    if (header !== undefined && request.header(header) === undefined) return undefined;
    // Each is drawn, so that neither depends on the other.
    const delayMs = delay !== undefined && this.#draws(delay.percent) ? delay.durationMs : 0;
    if (abort !== undefined && this.#draws(abort.percent))
      return { status: abort.status, reason: 'fault', delayMs };
    return delayMs === 0 ? undefined : this.#wait(delayMs, request.signal);
  }

  #draws(percent: number): boolean {
    return this.#ports.random.nextInt32() >>> 0 < shareOf(percent);
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<undefined> {
    return new Promise((resolve) => {
      const timer = this.#ports.scheduler.after(delayMs, () => resolve(undefined));
      signal.addEventListener('abort', () => timer.cancel(), { once: true });
    });
  }
}

/** Part of 2^32 that a percentage is. */
export function shareOf(percent: number): number {
  return (percent / 100) * 2 ** 32;
}
