import type { FaultSpan } from '../result.ts';
import type { Fault, Scenario } from '../scenario/scenario.ts';
import { selectServers } from './fleet.ts';
import type { Server } from './server.ts';

/** The faults of a scenario as spans of time with a name, for plots. */
export function faultSpansOf(
  { faults, warmUpMs, durationMs }: Scenario,
  servers: readonly Server[],
): FaultSpan[] {
  const endMs = warmUpMs + durationMs;
  return faults.map((fault) => {
    const struck = selectServers(fault.servers, servers).map(({ index }) => index);
    return {
      label: `${struck.length} of ${servers.length} ${labelOf(fault)}`,
      servers: struck,
      fromMs: fault.fromMs,
      untilMs: Math.min(endMs, untilOf(fault, struck.length)),
    };
  });
}

function untilOf(fault: Fault, serverCount: number): number {
  if (fault.kind !== 'deploy') return fault.untilMs ?? Number.POSITIVE_INFINITY;
  const { fromMs, batch, everyMs, drainMs, downMs, coldMs } = fault;
  const lastMs = fromMs + Math.floor(Math.max(0, serverCount - 1) / batch) * everyMs;
  return lastMs + drainMs + downMs + coldMs;
}

function labelOf(fault: Fault): string {
  switch (fault.kind) {
    case 'deploy':
      return 'restart in turn';
    case 'slow':
      return `${fault.factor} times slower${flapping(fault)}`;
    case 'fail-fast':
      return `fail at once${flapping(fault)}`;
    case 'black-hole':
      return `hang${flapping(fault)}`;
    case 'refuse':
      return `down${flapping(fault)}`;
    case 'errors':
      return `fail ${fault.ratio * 100} %${flapping(fault)}`;
    case 'degrade':
      return `ask to be spared${flapping(fault)}`;
  }
}

function flapping({ flap }: { readonly flap?: object | undefined }): string {
  return flap === undefined ? '' : ', on and off';
}
