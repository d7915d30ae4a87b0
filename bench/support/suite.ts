/**
 * What a benchmark suite is. One suite is `bench/suites/<name>.ts` or `bench/suites/<name>/suite.ts`
 * and exports `const suite: Suite`; `npm run bench -- <name>` finds it by its name.
 *
 * A suite measures the peer and us interleaved in one run, prints medians and spreads, and returns
 * its figures. Ratios are the result, absolute times are context. Names of figures are stable:
 * other tools compare them over time.
 */

/** Figure name to value. The unit belongs to the name: `maglev-build-65537x1000-ms`, `rps/pool`. */
export type Figures = Readonly<Record<string, number>>;

export interface SuiteContext {
  /** Prints text for the reader; with `--json` it comes before the closing JSON line. */
  readonly print: (text: string) => void;
  /** A short run that only shows that the suite works; its figures are not worth comparing. */
  readonly quick: boolean;
}

export interface Suite {
  /** One line for the list of suites: what is measured against what. */
  readonly description: string;
  run(context: SuiteContext): Promise<Figures>;
}
