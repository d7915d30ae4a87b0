import type { LoadReport } from '../../load-report/load-report.ts';
import type { Members } from '../../model/members.ts';
import type { Balancer, Picker, PolicyEnvironment, PolicyStats } from '../policy.ts';
import type { OrcaWeightedConfig } from './config.ts';
import { OrcaWeightedPicker } from './picker.ts';
import { ReportedWeights } from './reported-weights.ts';

/** Takes reports, which hold for an endpoint in all its groups, and hands the turns of a group on. */
export class OrcaWeightedBalancer implements Balancer {
  readonly #config: OrcaWeightedConfig;
  readonly #environment: PolicyEnvironment;
  readonly #reported: ReportedWeights;
  #usedReportCount = 0;
  #unusedReportCount = 0;

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
      turns: earlier instanceof OrcaWeightedPicker ? earlier.turns : undefined,
    });
  }

  onLoadReport(slot: number, report: LoadReport, nowMs: number): void {
    if (this.#reported.observe(slot, report, nowMs)) this.#usedReportCount++;
    else this.#unusedReportCount++;
  }

  stats(): PolicyStats {
    return { usedReportCount: this.#usedReportCount, unusedReportCount: this.#unusedReportCount };
  }

  close(): void {
    this.#reported.close();
  }
}
