import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Attempt } from './attempt.ts';
import type { Caller } from './caller.ts';
import type { ExchangeHost } from './exchange-host.ts';
import type { HeaderRecord } from './handler.ts';
import type { Route } from './route.ts';
import type { TimeLimits } from './time-limits.ts';

/** Who wants the answer. */
export interface TriesOwner {
  readonly host: ExchangeHost;
  readonly route: Route;
  readonly request: Dispatcher.DispatchOptions;
  readonly caller: Caller;
  readonly limits: TimeLimits;
  /** A final answer, a good one or one that is not tried again. Until `commit()` it may still break. */
  onAnswer(attempt: Attempt): void;
  onInformation(attempt: Attempt): void;
  onData(attempt: Attempt, chunk: Buffer): void;
  onEnd(attempt: Attempt, trailers: HeaderRecord): void;
  onUpgraded(attempt: Attempt, socket: Duplex): void;
  /** The answer broke off before it was committed to. */
  onTakenBack(): void;
  /** No try is left. */
  onExhausted(error: Error): void;
}
