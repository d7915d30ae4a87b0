import type { ProbeConfig, Prober } from '../policy/probing.ts';
import type { Runtime } from '../runtime/runtime.ts';

export function createHttpProber(_config: ProbeConfig, _runtime: Runtime): Prober {
  return { probe: () => false, close: () => undefined };
}
