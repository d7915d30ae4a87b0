import type { Runtime } from '../../runtime/runtime.ts';
import type { DispatcherConfig } from './options.ts';

/** What a dispatcher offers to the exchanges that run in it. */
export interface ExchangeHost {
  readonly runtime: Runtime;
  readonly config: DispatcherConfig;
  /** True once the dispatcher was destroyed: no further try is made. */
  readonly destroyed: boolean;
  /** An exchange has come to its end. */
  ended(): void;
}
