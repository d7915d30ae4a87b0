import type { ClusterOptions } from '../../config/cluster-config.ts';
import type { Policy, PolicyOptions } from '../../policy/policy.ts';
import type { CircuitBreakersFactory } from '../../resilience/circuit.ts';
import type { ClientEnvironment } from './engine/environment.ts';
import { faultSpansOf } from './engine/fault-spans.ts';
import { Simulation } from './engine/simulation.ts';
import { createOracles } from './oracle/oracles.ts';
import type { ServerResult, SimulationResult } from './result.ts';
import { decodeScenario } from './scenario/decode-scenario.ts';
import type { ScenarioOptions } from './scenario/scenario.ts';

/** What is tried out in a scenario. */
export interface RunOptions {
  /**
   * The policy of all clients: a built-in one, one of `policies`, or an oracle, `jsq` or `sed`. Default: that of
   * `cluster`, else a cluster's own default.
   */
  readonly policy?: PolicyOptions | undefined;
  /** Options of the clusters besides: health, panic ... A function is asked for each client. */
  readonly cluster?:
    | SimulatedClusterOptions
    | ((environment: ClientEnvironment) => SimulatedClusterOptions)
    | undefined;
  /** Policies of one's own, made for each client, which may look at the true state of the servers as oracles do. */
  readonly policies?: ((environment: ClientEnvironment) => readonly Policy[]) | undefined;
  /**
   * For options with `admission.circuitBreaker`: `createCircuitBreakers` of `@evenkeel/core/opossum`, which nothing here
   * loads by itself.
   */
  readonly createCircuitBreakers?: CircuitBreakersFactory | undefined;
  /** Equal seeds give equal runs. Any integer, default 1. */
  readonly seed?: number | undefined;
  /** Replaces the scenario's load, in percent. */
  readonly loadPercent?: number | undefined;
  /** Name in reports. Default: the policy's. */
  readonly label?: string | undefined;
}

export type SimulatedClusterOptions = Omit<ClusterOptions, 'name' | 'discovery'>;

/**
 * Plays a scenario: real policies and real health in clusters on virtual time, against servers that are a model. Takes
 * some seconds for some hundred thousand requests; the same scenario, options and seed give the same result to the last
 * digit.
 *
 * ```ts
 * const result = simulate(scenarios.hetero, { policy: 'least-request', loadPercent: 85 });
 * console.log(result.p99Ms, result.errorPercent);
 * ```
 *
 * @throws ConfigError for a wrong scenario, an unknown policy or wrong options
 */
export function simulate(options: ScenarioOptions, run: RunOptions = {}): SimulationResult {
  const { seed = 1, loadPercent } = run;
  const scenario = decodeScenario(
    loadPercent === undefined ? options : { ...options, load: loadPercent },
  );
  const simulation = new Simulation({
    scenario,
    seed,
    createCircuitBreakers: run.createCircuitBreakers,
    optionsOf: (environment) => ({
      ...(scenario.cluster as SimulatedClusterOptions),
      ...clusterOptionsOf(run, environment),
    }),
    policiesOf: (environment) => [
      ...createOracles(environment),
      ...(run.policies?.(environment) ?? []),
    ],
  });
  const policy = simulation.clients[0]?.cluster.snapshot().policy ?? '';
  simulation.run();
  const numbers = simulation.recorder.read();
  return {
    scenario: scenario.name,
    description: scenario.description,
    label: run.label ?? policy,
    policy,
    seed,
    capacityPerSecond: simulation.fleet.capacityPerSecond,
    ...numbers,
    ejectionCount: simulation.ejectionCount,
    panicCount: simulation.panicCount,
    leakedCount: simulation.leakedCount(),
    servers: serverResultsOf(simulation, numbers.attemptCount),
    timeline: simulation.recorder.timeline.read(),
    faults: faultSpansOf(scenario, simulation.fleet.servers),
    measured: {
      fromMs: scenario.warmUpMs,
      untilMs: scenario.warmUpMs + scenario.durationMs,
    },
  };
}

function clusterOptionsOf(
  { policy, cluster }: RunOptions,
  environment: ClientEnvironment,
): SimulatedClusterOptions {
  const options = typeof cluster === 'function' ? cluster(environment) : (cluster ?? {});
  return policy === undefined ? options : { ...options, policy };
}

function serverResultsOf(
  { fleet, recorder, usage }: Simulation,
  attemptCount: number,
): ServerResult[] {
  const fair = attemptCount / fleet.servers.length;
  return fleet.servers.map(({ index, id, zone, group, cores, speed }) => ({
    index,
    id,
    zone,
    group,
    cores,
    speed,
    attemptCount: recorder.attempts[index] as number,
    failedCount: recorder.failures[index] as number,
    shareToFair: attemptCount === 0 ? 0 : (recorder.attempts[index] as number) / fair,
    utilization: usage[index]?.utilization ?? 0,
    meanRunning: usage[index]?.meanRunning ?? 0,
  }));
}
