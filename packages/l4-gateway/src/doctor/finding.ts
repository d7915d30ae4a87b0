/** What a look at the machine found. */
export interface Finding {
  /**
   * `failure`: traffic does not flow; `warning`: it may not, or not all of it, or not for long; `advice`: what cannot be
   * seen from here; `ok`: looked at, and as it should be.
   */
  readonly level: Level;
  /** What was looked at: `interface`, `neighbour`. Stable. */
  readonly topic: string;
  readonly message: string;
  /** Commands that put it right. */
  readonly cures: readonly string[];
}

export type Level = 'ok' | 'advice' | 'warning' | 'failure';

export const ok = (topic: string, message: string): Finding => ({
  ...{ level: 'ok', topic, message },
  cures: [],
});
export const advice = (topic: string, message: string, ...cures: readonly string[]): Finding => ({
  ...{ level: 'advice', topic, message, cures },
});
export const warning = (topic: string, message: string, ...cures: readonly string[]): Finding => ({
  ...{ level: 'warning', topic, message, cures },
});
export const failure = (topic: string, message: string, ...cures: readonly string[]): Finding => ({
  ...{ level: 'failure', topic, message, cures },
});
