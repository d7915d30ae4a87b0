import type { Runtime } from '../../runtime/runtime.ts';
import { createRuntime } from '../../runtime/runtime.ts';
import { decode } from '../../schema/decode.ts';
import type { CircuitSource } from '../circuit.ts';
import { type CircuitOptions, circuitSchema } from '../circuit-breaker-config.ts';
import { bucketClockFor, CircuitBreaker } from './circuit-breaker.ts';

/**
 * What a cluster with the option `admission.circuitBreaker` takes its circuits from. All of one source share one timer.
 *
 * @example
 * createCluster(options, { createCircuitBreakers });
 *
 * @throws ConfigError naming every wrong option
 */
export function createCircuitBreakers(
  options: CircuitOptions = {},
  runtime: Partial<Runtime> = {},
): CircuitSource {
  const config = decode(circuitSchema, options, 'circuitBreaker');
  const whole = createRuntime(runtime);
  const clock = bucketClockFor(config, whole);
  return {
    create: (name, onChange) =>
      new CircuitBreaker(name, config, {
        runtime: whole,
        clock,
        onEvent: ({ from, to, reason }) => onChange({ from, to, reason }),
      }),
  };
}
