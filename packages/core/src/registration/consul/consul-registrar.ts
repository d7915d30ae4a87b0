import { type ConsulClient, ConsulRefusal } from '../../discovery/consul/http/consul-client.ts';
import type { Announcement, HealthReport, InstanceHealth, Registrar } from '../registration.ts';

export interface ConsulRegistrarOptions {
  readonly announcement: Announcement;
  readonly client: ConsulClient;
  readonly ttlMs: number;
  readonly forgetAfterMs: number;
  readonly degradedWeight: number;
  /** The address to announce where none is given; '' stands for that of the agent. */
  readonly findAddress: () => Promise<string>;
}

const STATUSES: Readonly<Record<InstanceHealth, string>> = {
  healthy: 'passing',
  degraded: 'warning',
  unhealthy: 'critical',
};

/**
 * An agent that restarted without its data, or forgot us after `forgetAfterMs`, refuses the heartbeat: 404 since Consul
 * 1.14, 500 with these words before.
 */
const UNKNOWN = /does not have associated TTL|unknown (check|service)|not registered/i;

/** One instance at an agent: a service with one TTL check, which the heartbeat renews. */
export class ConsulRegistrar implements Registrar {
  readonly ttlMs: number;
  readonly #options: ConsulRegistrarOptions;
  readonly #client: ConsulClient;
  readonly #checkId: string;

  constructor(options: ConsulRegistrarOptions) {
    this.ttlMs = options.ttlMs;
    this.#options = options;
    this.#client = options.client;
    this.#checkId = `evenkeel:${options.announcement.id}`;
  }

  async announce({ health, note }: HealthReport, signal: AbortSignal): Promise<void> {
    const { announcement, ttlMs, forgetAfterMs, degradedWeight } = this.#options;
    const { id, service, port, weight, tags, metadata, locality } = announcement;
    const address = announcement.address ?? (await this.#options.findAddress());
    const places = Object.entries(locality).filter(([, part]) => part !== '');
    await this.#client.call({
      method: 'PUT',
      path: '/v1/agent/service/register',
      // Checks of an earlier announcement must not stay behind, where nobody renews them.
      query: [['replace-existing-checks', 'true']],
      body: {
        ID: id,
        Name: service,
        Address: address,
        Port: port,
        Tags: tags,
        Meta: { ...metadata, ...Object.fromEntries(places) },
        Weights: { Passing: weight, Warning: degradedWeight },
        Check: {
          CheckID: this.#checkId,
          Name: 'Heartbeat',
          TTL: `${ttlMs}ms`,
          DeregisterCriticalServiceAfter: `${forgetAfterMs}ms`,
          Status: STATUSES[health],
          Notes: note,
        },
      },
      signal,
    });
  }

  async beat({ health, note }: HealthReport, signal: AbortSignal): Promise<'known' | 'lost'> {
    return this.#unlessUnknown({
      method: 'PUT',
      path: `/v1/agent/check/update/${encodeURIComponent(this.#checkId)}`,
      // The same words every time: a new output is a change, and would wake everybody who watches.
      body: { Status: STATUSES[health], Output: note },
      signal,
    });
  }

  async withdraw(signal: AbortSignal): Promise<void> {
    const { id } = this.#options.announcement;
    await this.#unlessUnknown({
      method: 'PUT',
      path: `/v1/agent/service/deregister/${encodeURIComponent(id)}`,
      signal,
    });
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  async #unlessUnknown(call: Parameters<ConsulClient['call']>[0]): Promise<'known' | 'lost'> {
    try {
      await this.#client.call(call);
      return 'known';
    } catch (error) {
      if (!(error instanceof ConsulRefusal)) throw error;
      if (error.status === 404 || UNKNOWN.test(error.message)) return 'lost';
      throw error;
    }
  }
}
