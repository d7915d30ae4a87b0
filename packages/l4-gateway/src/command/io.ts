/** What commands talk to: replaced in tests. */
export interface CommandIo {
  out(text: string): void;
  error(text: string): void;
  readonly isTty: boolean;
  /** Aborted when the command is to end: a signal, or Ctrl-C. */
  readonly stop: AbortSignal;
  /** Calls back on SIGHUP. @returns a function that ends it */
  onReload(listener: () => void): () => void;
}

/**
 * Exit codes, the same for all commands.
 *
 * | code | meaning |
 * | --- | --- |
 * | 0 | done; `doctor`: nothing found |
 * | 1 | it failed; `doctor`: a finding that stops traffic |
 * | 2 | wrong arguments or a wrong configuration |
 * | 3 | `doctor`: a finding that may matter |
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, warning: 3 } as const;

/** Arguments that make no sense; the message says which. */
export class UsageError extends Error {}
