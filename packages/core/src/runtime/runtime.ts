import { type Clock, systemClock } from './clock.ts';
import { type Logger, silentLogger } from './logger.ts';
import { createRandom, type Random } from './random.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

/** Everything that code above this folder may ask of the outside world besides the network. */
export interface Runtime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** The real thing, with any part replaced. */
export function createRuntime(parts: Partial<Runtime> = {}): Runtime {
  return {
    clock: parts.clock ?? systemClock,
    scheduler: parts.scheduler ?? systemScheduler,
    random: parts.random ?? createRandom(),
    logger: parts.logger ?? silentLogger,
  };
}
