/**
 * What a cluster tells the world. Events are plain objects; they reach the listeners of `cluster.subscribe` and the
 * diagnostics channel {@link EVENT_CHANNEL}. None is sent per request.
 */
import { channel } from 'node:diagnostics_channel';
import type { CircuitReason, CircuitState } from '../model/circuit-state.ts';
import type { EvenkeelError } from '../error/evenkeel-error.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { HealthState } from '../model/health-state.ts';

/** What every event carries. */
interface EventBase {
  readonly cluster: string;
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: number;
}

/** What events about one endpoint carry. */
interface EndpointEventBase extends EventBase {
  readonly endpoint: Endpoint;
  readonly slot: number;
}

/** A new member. */
export interface EndpointAddedEvent extends EndpointEventBase {
  readonly type: 'endpoint-added';
}

/** Weight, metadata or another property that is not identity changed. */
export interface EndpointUpdatedEvent extends EndpointEventBase {
  readonly type: 'endpoint-updated';
}

/** Discovery no longer lists the member: it gets no new requests, those in flight go on. */
export interface EndpointDrainingEvent extends EndpointEventBase {
  readonly type: 'endpoint-draining';
}

/** The member is gone and its slot is free: transports close their connections to it. */
export interface EndpointRemovedEvent extends EndpointEventBase {
  readonly type: 'endpoint-removed';
  /** Did it still have requests in flight when the drain time was over? */
  readonly forced: boolean;
}

/** The state of an endpoint changed, whoever caused it. */
export interface HealthChangedEvent extends EndpointEventBase {
  readonly type: 'health-changed';
  readonly from: HealthState;
  readonly to: HealthState;
  readonly reason: string;
}

/** Outlier detection ejected an endpoint, or would have but for a limit. */
export interface EjectionEvent extends EndpointEventBase {
  readonly type: 'endpoint-ejected' | 'ejection-skipped';
  readonly detector: string;
  readonly reason: string;
  readonly durationMs: number;
  /** Why it was skipped: too many are ejected already, or the enforcement percentage said no. */
  readonly skippedBecause?: 'limit' | 'not-enforced' | undefined;
}

/** So few endpoints of a group are healthy that health is ignored, or no longer so few. */
export interface PanicEvent extends EventBase {
  readonly type: 'panic-entered' | 'panic-left';
  /** Which endpoints: `priority 0`, `version=v2 priority 0`. */
  readonly group: string;
  readonly healthyCount: number;
  readonly totalCount: number;
}

/** Discovery delivered a set that differs from the last. */
export interface MembershipEvent extends EventBase {
  readonly type: 'membership-changed';
  readonly addedCount: number;
  readonly updatedCount: number;
  readonly removedCount: number;
  readonly totalCount: number;
}

/** A source of endpoints failed; the last good set stays. */
export interface DiscoveryErrorEvent extends EventBase {
  readonly type: 'discovery-error';
  readonly error: EvenkeelError;
}

/** A circuit breaker of the cluster, or of one of its endpoints, changed its state. */
export interface CircuitChangedEvent extends EventBase {
  readonly type: 'circuit-changed';
  /** Undefined: the circuit is that of the whole cluster. */
  readonly endpoint: Endpoint | undefined;
  readonly slot: number | undefined;
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly reason: CircuitReason;
}

export type ClusterEvent =
  | EndpointAddedEvent
  | EndpointUpdatedEvent
  | EndpointDrainingEvent
  | EndpointRemovedEvent
  | HealthChangedEvent
  | EjectionEvent
  | PanicEvent
  | MembershipEvent
  | CircuitChangedEvent
  | DiscoveryErrorEvent;

export type ClusterEventListener = (event: ClusterEvent) => void;

/** Name of the diagnostics channel that carries every event of every cluster in the process. */
export const EVENT_CHANNEL = 'evenkeel:cluster:event';

const eventChannel = channel(EVENT_CHANNEL);

/** The listeners of one cluster. */
export class EventHub {
  readonly #listeners = new Set<ClusterEventListener>();
  readonly #onListenerError: (error: unknown) => void;

  /** @param onListenerError hears of listeners that threw; they must not disturb the cluster */
  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: ClusterEventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: ClusterEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
    if (eventChannel.hasSubscribers) eventChannel.publish(event);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
