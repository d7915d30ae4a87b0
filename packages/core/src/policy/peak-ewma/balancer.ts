import type { Members } from '../../model/members.ts';
import { isFailure, Outcome, RESPONDED } from '../../model/outcome.ts';
import type { Balancer, Picker, PolicyEnvironment } from '../policy.ts';
import type { PeakEwmaConfig } from './config.ts';
import { EndpointState } from './endpoint-state.ts';
import { PeakEwmaPicker } from './picker.ts';

/** Turns the events of requests into what the picker compares. */
export class PeakEwmaBalancer implements Balancer {
  readonly #environment: PolicyEnvironment;
  readonly #state: EndpointState;

  constructor(config: PeakEwmaConfig, environment: PolicyEnvironment) {
    this.#environment = environment;
    this.#state = new EndpointState(environment.load, config);
  }

  update(members: Members, earlier?: Picker): Picker {
    return new PeakEwmaPicker({
      members,
      state: this.#state,
      environment: this.#environment,
      earlier: earlier instanceof PeakEwmaPicker ? earlier : undefined,
    });
  }

  onStart(slot: number, nowMs: number): void {
    this.#state.startWaiting(slot, nowMs);
  }

  onResponse(slot: number, latencyMs: number, nowMs: number): void {
    const state = this.#state;
    state.decay.advance(nowMs);
    state.stopWaiting(slot, true, nowMs);
    state.observeLatency(slot, latencyMs);
  }

  // oxlint-disable-next-line max-params -- the contract's parameters
  onFinish(slot: number, outcome: Outcome, latencyMs: number, nowMs: number): void {
    const state = this.#state;
    state.decay.advance(nowMs);
    if (latencyMs !== RESPONDED) state.stopWaiting(slot, isAnswer(outcome), nowMs);
    if (outcome === Outcome.success) {
      state.observeSuccess(slot);
      if (latencyMs !== RESPONDED) state.observeLatency(slot, latencyMs);
    } else if (isFailure(outcome)) {
      state.observeFailure(slot, latencyMs);
      if (outcome === Outcome.overloaded) state.hold(slot, state.config.overloadHoldMs, nowMs);
    }
    // Cancelled: says nothing about the endpoint, neither that it is slow nor that it is well.
  }

  onPushback(slot: number, delayMs: number, nowMs: number): void {
    this.#state.hold(slot, delayMs, nowMs);
  }

  close(): void {
    this.#state.close();
  }
}

/** Did the endpoint itself say something? Then it is not hung, whatever it said. */
function isAnswer(outcome: Outcome): boolean {
  return outcome <= Outcome.overloaded;
}
