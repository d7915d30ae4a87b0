import type { Members } from '../../model/members.ts';
import { isFailure, Outcome } from '../../model/outcome.ts';
import type { Balancer, Picker, PolicyEnvironment } from '../policy.ts';
import type { LeastRequestConfig } from './config.ts';
import { DrawPicker } from './draw-picker.ts';
import { FailurePenalty } from './failure-penalty.ts';
import { FullScanPicker } from './full-scan-picker.ts';
import { LoadScore } from './load-score.ts';
import { PairPicker } from './pair-picker.ts';

/** Remembers failures, and chooses the leanest picker that does what the options and the members ask for. */
export class LeastRequestBalancer implements Balancer {
  readonly #config: LeastRequestConfig;
  readonly #environment: PolicyEnvironment;
  readonly #penalty: FailurePenalty;

  constructor(config: LeastRequestConfig, environment: PolicyEnvironment) {
    this.#config = config;
    this.#environment = environment;
    this.#penalty = new FailurePenalty(environment.load, config.failurePenalty);
  }

  update(members: Members): Picker {
    const { choiceCount, fullScan, bias } = this.#config;
    const { active } = this.#environment.load;
    const { random } = this.#environment;
    const penalty = this.#penalty;
    const score = new LoadScore({ members, active, penalty, bias });
    const parts = { members, active, penalty, score, random, choiceCount };
    if (choiceCount === 2 && score.plain && !fullScan) return new PairPicker(parts);
    // As many draws as there are members, all different, are a scan.
    if (fullScan || choiceCount >= members.slots.length) return new FullScanPicker(parts);
    return new DrawPicker(parts);
  }

  // oxlint-disable-next-line max-params -- the contract's parameters
  onFinish(slot: number, outcome: Outcome, _latencyMs: number, nowMs: number): void {
    if (outcome === Outcome.success) this.#penalty.relieve(slot, nowMs);
    else if (isFailure(outcome)) this.#penalty.add(slot, outcome, nowMs);
  }

  close(): void {
    this.#penalty.close();
  }
}
