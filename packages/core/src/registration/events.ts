/** What a registration tells the world: plain objects, to those who subscribe and on a diagnostics channel. */
import { channel } from 'node:diagnostics_channel';
import type { EvenkeelError } from '../error/evenkeel-error.ts';
import type { InstanceHealth } from './registration.ts';

/** What every event carries. */
interface EventBase {
  readonly service: string;
  /** Of the instance. */
  readonly id: string;
  /** Kind of the registry: `consul`. */
  readonly registry: string;
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: number;
}

/** The registry has the announcement: at the start, and again after it was lost. */
export interface RegisteredEvent extends EventBase {
  readonly type: 'registered';
}

/** The registry does not know this instance any more; it is announced again. */
export interface LostEvent extends EventBase {
  readonly type: 'registration-lost';
}

/** An announcement or a heartbeat failed and will be repeated. */
export interface RegistrationErrorEvent extends EventBase {
  readonly type: 'registration-error';
  readonly error: EvenkeelError;
}

/** A call got through after one or more had failed. */
export interface RecoveredEvent extends EventBase {
  readonly type: 'registration-recovered';
}

/** The registry has been told how this instance is. */
export interface HealthToldEvent extends EventBase {
  readonly type: 'instance-health-told';
  readonly health: InstanceHealth;
  readonly note: string;
}

/** `close()` is done. Did the registry take the withdrawal? If not, it forgets this instance by itself. */
export interface DeregisteredEvent extends EventBase {
  readonly type: 'deregistered';
  readonly confirmed: boolean;
}

export type RegistrationEvent =
  | RegisteredEvent
  | LostEvent
  | RegistrationErrorEvent
  | RecoveredEvent
  | HealthToldEvent
  | DeregisteredEvent;

export type RegistrationEventListener = (event: RegistrationEvent) => void;

/** Name of the diagnostics channel that carries every event of every registration in the process. */
export const REGISTRATION_EVENT_CHANNEL = 'evenkeel:registration:event';

const eventChannel = channel(REGISTRATION_EVENT_CHANNEL);

/** The listeners of one registration. */
export class RegistrationHub {
  readonly #listeners = new Set<RegistrationEventListener>();
  readonly #onListenerError: (error: unknown) => void;

  /** @param onListenerError hears of listeners that threw; they must not disturb the registration */
  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: RegistrationEventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: RegistrationEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
    if (eventChannel.hasSubscribers) eventChannel.publish(event);
  }
}
