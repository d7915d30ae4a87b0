/** The machine could not be set up as a real. What had been changed until then has been undone. */
export class RealError extends Error {
  override readonly name: string = 'RealError';
  readonly code = 'EVENKEEL_REAL';
  readonly retryable = false;
}
