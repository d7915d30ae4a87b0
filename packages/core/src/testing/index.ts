/**
 * `@evenkeel/core/testing`: a clock and timers under a test's control, to drive clusters and policies in virtual time,
 * and a simulator that puts them in front of servers which are slow, failing, lost or too few.
 */
export {
  createManualRuntime,
  ManualClock,
  type ManualRuntime,
  ManualScheduler,
} from './manual-runtime.ts';
export { XorShift128 as SeededRandom } from '../runtime/random.ts';

// The simulator
export { type RunOptions, type SimulatedClusterOptions, simulate } from './simulator/simulate.ts';
export { simulationReport } from './simulator/report/html-report.ts';
export { simulationTable } from './simulator/report/text-table.ts';
export type {
  FaultSpan,
  Quantile,
  ServerResult,
  SimulationResult,
  Timeline,
  TimeSpan,
} from './simulator/result.ts';
export { type ScenarioName, scenarios } from './simulator/scenarios/built-in.ts';
export { decodeScenario, decodeScenarioFile } from './simulator/scenario/decode-scenario.ts';
export type {
  AntagonistOptions,
  AskOptions,
  FaultOptions,
  FlapOptions,
  HedgeOptions,
  LoadStepOptions,
  NetworkOptions,
  RetryOptions,
  Scenario,
  ScenarioOptions,
  ServerGroupOptions,
  ServerSelector,
  WorkOptions,
  WorkShape,
} from './simulator/scenario/scenario.ts';
export type { ClientEnvironment, ServerState, World } from './simulator/engine/environment.ts';
