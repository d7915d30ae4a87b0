import { codeFormOf } from '../../../config/file-form.ts';
import { decode } from '../../../schema/decode.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';
import { scenarioSchema } from './scenario-schema.ts';

/**
 * Checks a scenario and fills in the defaults.
 *
 * @throws ConfigError with every issue found
 */
export function decodeScenario(options: ScenarioOptions): Scenario {
  const scenario = decode(scenarioSchema, options, 'scenario');
  const { load } = scenario;
  return {
    ...scenario,
    load: typeof load === 'number' ? [{ atMs: 0, percent: load, overMs: 0 }] : load,
  };
}

/**
 * Reads a scenario from what a YAML or JSON parser made of a file. The words are those of {@link ScenarioOptions},
 * except that durations lose their `Ms` and say their unit: `duration: 15s`.
 *
 * @throws ConfigError with every issue found, in the words of the file
 */
export function decodeScenarioFile(raw: unknown): ScenarioOptions {
  return codeFormOf(scenarioSchema, raw, 'scenario') as ScenarioOptions;
}
