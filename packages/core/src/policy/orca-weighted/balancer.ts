import type { LoadReport } from '../../load-report/load-report.ts';
import type { Members } from '../../model/members.ts';
import type { Balancer, Picker, PolicyEnvironment, PolicyStats } from '../policy.ts';
import type { OrcaWeightedConfig } from './config.ts';
import { OrcaWeightedPicker, type WeightObserver } from './picker.ts';
import { ReportedWeights } from './reported-weights.ts';

/** Takes reports, which hold for an endpoint in all its groups, and hands the turns of a group on. */
export class OrcaWeightedBalancer implements Balancer, WeightObserver {
  readonly #config: OrcaWeightedConfig;
  readonly #environment: PolicyEnvironment;
  readonly #reported: ReportedWeights;
  #usedReportCount = 0;
  #unusedReportCount = 0;
  /** Of the group whose weights were worked out last. */
  #knownCount = 0;
  #unknownCount = 0;

  constructor(config: OrcaWeightedConfig, environment: PolicyEnvironment) {
    this.#config = config;
    this.#environment = environment;
    this.#reported = new ReportedWeights(config, environment.load);
  }

  update(members: Members, earlier?: Picker): Picker {
    return new OrcaWeightedPicker({
      members,
      reported: this.#reported,
      updateMs: this.#config.updateMs,
      random: this.#environment.random,
      observer: this,
      turns: earlier instanceof OrcaWeightedPicker ? earlier.turns : undefined,
    });
  }

  onLoadReport(slot: number, report: LoadReport, nowMs: number): void {
    if (this.#reported.observe(slot, report, nowMs)) this.#usedReportCount++;
    else this.#unusedReportCount++;
  }

  onWeights(knownCount: number, unknownCount: number): void {
    this.#knownCount = knownCount;
    this.#unknownCount = unknownCount;
  }

  /**
   * Reports that gave a weight, and those without a rate or a utilisation; endpoints with a weight of their own and
   * without one, in the group whose weights were worked out last.
   */
  stats(): PolicyStats {
    return {
      usedReportCount: this.#usedReportCount,
      unusedReportCount: this.#unusedReportCount,
      weightedEndpoints: this.#knownCount,
      unweightedEndpoints: this.#unknownCount,
    };
  }

  close(): void {
    this.#reported.close();
  }
}
