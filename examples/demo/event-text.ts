import type { ClusterEvent } from '@evenkeel/core';
import { seconds } from './numbers.ts';

/** An event in a few words; undefined for those that others tell better. */
export function eventText(event: ClusterEvent): string | undefined {
  switch (event.type) {
    case 'endpoint-added':
      return `${event.endpoint.id} joined`;
    case 'endpoint-draining':
      return `${event.endpoint.id} is leaving`;
    case 'endpoint-removed':
      return `${event.endpoint.id} left${event.forced ? ' with requests in flight' : ''}`;
    case 'health-changed':
      return `${event.endpoint.id} is ${event.to}: ${event.reason}`;
    case 'ejection-skipped':
      return `${event.endpoint.id} not ejected, too many are: ${event.reason}`;
    case 'endpoint-ejected':
      return `${event.endpoint.id} ejected for ${seconds(event.durationMs)}: ${event.reason}`;
    case 'panic-entered':
      return `panic: only ${event.healthyCount} of ${event.totalCount} healthy`;
    case 'panic-left':
      return `no panic any more: ${event.healthyCount} of ${event.totalCount} healthy`;
    case 'discovery-error':
      return `discovery: ${event.error.message}`;
    case 'circuit-changed':
      return `circuit of ${event.endpoint?.id ?? event.cluster} is ${event.to}: ${event.reason}`;
    case 'endpoint-updated':
    case 'membership-changed':
      return undefined;
  }
}
