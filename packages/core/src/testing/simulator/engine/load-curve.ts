import type { Scenario } from '../scenario/scenario.ts';
import type { Stream } from './stream.ts';

/**
 * The load over time: straight lines between the points that the steps name.
 *
 * ```text
 * { at 0, 70 }, { at 5 s, 103, over 2 s }        percent 103           ________
 *                                                         70 ________/
 *                                                            0      5  7 s
 * ```
 */
export class LoadCurve {
  readonly #steps: Scenario['load'];
  readonly maxPercent: number;
  readonly #constant: boolean;

  constructor(steps: Scenario['load']) {
    this.#steps = steps;
    this.maxPercent = Math.max(...steps.map(({ percent }) => percent));
    this.#constant = steps.every(
      ({ percent, overMs }, index) => percent === this.maxPercent && (index > 0 || overMs === 0),
    );
  }

  percentAt(timeMs: number): number {
    let percent = 0;
    for (const step of this.#steps) {
      if (timeMs < step.atMs) break;
      const part = step.overMs > 0 ? Math.min(1, (timeMs - step.atMs) / step.overMs) : 1;
      percent += (step.percent - percent) * part;
    }
    return percent;
  }

  /**
   * When the next request arrives: a Poisson process at the rate of the highest load, thinned out where the load is
   * lower (Lewis and Shedler 1979), which is exact for any curve.
   *
   * @param peakPerMs arrivals per millisecond at the highest load, above 0
   */
  nextArrivalMs(fromMs: number, peakPerMs: number, stream: Stream): number {
    let timeMs = fromMs;
    for (;;) {
      timeMs += stream.exponential(1 / peakPerMs);
      if (this.#constant || stream.unit() * this.maxPercent < this.percentAt(timeMs)) return timeMs;
    }
  }
}
