import { configError } from '../../error/config-error.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { AdmissionConfig } from '../../resilience/admission-config.ts';
import type { CircuitBreakersFactory, CircuitSource } from '../../resilience/circuit.ts';
import type { CircuitOptions } from '../../resilience/circuit-breaker-config.ts';
import { type AdmissionHost, ClusterAdmission } from './cluster-admission.ts';

export interface AdmissionEnvironment {
  readonly cluster: string;
  readonly runtime: Runtime;
  readonly createCircuitBreakers: CircuitBreakersFactory | undefined;
}

/** Makes the admission once the cluster is there to be seen. */
export type AdmissionFactory = (host: AdmissionHost) => ClusterAdmission;

/**
 * @returns undefined when the options refuse nothing: such a cluster has no admission
 * @throws ConfigError when there are to be circuit breakers and nothing to make them of
 */
export function admissionFactory(
  config: AdmissionConfig | undefined,
  { cluster, runtime, createCircuitBreakers }: AdmissionEnvironment,
): AdmissionFactory | undefined {
  if (config === undefined) return undefined;
  const { circuitBreaker = {}, ...gates } = config;
  if (Object.values({ ...gates, ...circuitBreaker }).every((gate) => gate === undefined)) {
    return undefined;
  }
  const source = (options: CircuitOptions | undefined): CircuitSource | undefined => {
    if (options === undefined) return undefined;
    if (createCircuitBreakers !== undefined) return createCircuitBreakers(options, runtime);
    throw configError(
      'admission.circuitBreaker',
      "the port 'createCircuitBreakers' of '@evenkeel/core/opossum', passed to createCluster",
      createCircuitBreakers,
    );
  };
  const clusterCircuits = source(circuitBreaker.cluster);
  const endpointCircuits = source(circuitBreaker.endpoint);
  return (host) =>
    new ClusterAdmission({ cluster, config, runtime, host, clusterCircuits, endpointCircuits });
}
