import { MAX_FIELD, MAX_NAME_CHARACTERS, MAX_VALUES } from './bounds.ts';
import { EMPTY_LOAD_REPORT, type LoadReport, NO_VALUES } from './load-report.ts';

/** The maps of the message, by their names there. */
export type MapName = 'utilization' | 'request_cost' | 'named_metrics';

/**
 * Collects the values of a report from any of its forms, and judges them alike. Names are those of the message; short
 * forms that the documentation of proxies shows (`cpu`, `mem`) count too. Names that are not known are passed over, so
 * that a newer server does not lose what it says besides.
 */
export class ReportBuilder {
  #cpu = 0;
  #memory = 0;
  #application = 0;
  #rate = 0;
  /** The deprecated whole-number form of the rate. */
  #wholeRate = 0;
  #errors = 0;
  #utilization: Map<string, number> | undefined = undefined;
  #requestCost: Map<string, number> | undefined = undefined;
  #namedMetrics: Map<string, number> | undefined = undefined;
  #count = 0;

  /** @returns false when the value cannot be: negative, no number, above 10^12, or one too many */
  set(name: string, told: number): boolean {
    if (!(told >= 0 && told <= MAX_FIELD) || ++this.#count > MAX_VALUES) return false;
    // Of -0 it makes 0.
    const value = told + 0;
    switch (name) {
      case 'cpu_utilization':
      case 'cpu':
        this.#cpu = value;
        return true;
      case 'mem_utilization':
      case 'mem':
        this.#memory = value;
        return true;
      case 'application_utilization':
        this.#application = value;
        return true;
      case 'rps_fractional':
        this.#rate = value;
        return true;
      case 'rps':
        this.#wholeRate = value;
        return true;
      case 'eps':
        this.#errors = value;
        return true;
      default:
        return true;
    }
  }

  /** A value of one of the maps. Shares of a resource are not negative; of the rest nobody knows the meaning. */
  setNamed(map: MapName, name: string, value: number): boolean {
    if (!Number.isFinite(value)) return false;
    if (map === 'utilization' && !(value >= 0 && value <= MAX_FIELD)) return false;
    if (name === '' || name.length > MAX_NAME_CHARACTERS || ++this.#count > MAX_VALUES)
      return false;
    this.#mapOf(map).set(name, value + 0);
    return true;
  }

  build(): LoadReport {
    if (this.#count === 0) return EMPTY_LOAD_REPORT;
    return {
      cpuUtilization: this.#cpu,
      memoryUtilization: this.#memory,
      applicationUtilization: this.#application,
      requestsPerSecond: this.#rate > 0 ? this.#rate : this.#wholeRate,
      errorsPerSecond: this.#errors,
      utilization: this.#utilization ?? NO_VALUES,
      requestCost: this.#requestCost ?? NO_VALUES,
      namedMetrics: this.#namedMetrics ?? NO_VALUES,
    };
  }

  #mapOf(map: MapName): Map<string, number> {
    switch (map) {
      case 'utilization':
        return (this.#utilization ??= new Map());
      case 'request_cost':
        return (this.#requestCost ??= new Map());
      case 'named_metrics':
        return (this.#namedMetrics ??= new Map());
    }
  }
}
