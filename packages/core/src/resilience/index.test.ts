import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as resilience from './index.ts';

describe('the entry point @evenkeel/core/resilience', () => {
  it('exports exactly what is listed here: additions are decisions', () => {
    expect(Object.keys(resilience).sort()).toEqual([
      'AdmissionError',
      'AimdLimit',
      'CRITICALITY_NAMES',
      'ClientThrottle',
      'ConcurrencyLimiter',
      'Criticality',
      'DeadlinePolicy',
      'GRPC_TIMEOUT_HEADER',
      'Gradient2Limit',
      'GrpcCode',
      'HedgePolicy',
      'HedgeRace',
      'IDEMPOTENT_METHODS',
      'KeyedRateLimiter',
      'LOSER_OUTCOME',
      'LatencyQuantile',
      'LoadShedder',
      'MAX_RETRY_AFTER_MS',
      'MAX_TIMEOUT_MS',
      'NEVER_RETRY',
      'NO_DEADLINE',
      'NO_HEDGE',
      'RETRY_VERDICTS',
      'RateLimiter',
      'RetryBudget',
      'RetryPolicy',
      'RetrySequence',
      'TIMEOUT_HEADER',
      'Threshold',
      'Thresholds',
      'VegasLimit',
      'admissionSchema',
      'clientThrottleSchema',
      'concurrencySchema',
      'deadlineSchema',
      'decodeGrpcTimeout',
      'decodeTimeout',
      'encodeGrpcTimeout',
      'encodeTimeout',
      'grpcPushbackMs',
      'hedgeSchema',
      'isAccepted',
      'isIdempotentMethod',
      'loadSheddingSchema',
      'outcomeOfGrpcCode',
      'parseHttpDate',
      'rateLimitHeaders',
      'rateLimitSchema',
      'remainingMs',
      'retryAfterMs',
      'retryAfterSeconds',
      'retrySchema',
      'thresholdSchema',
      'utilisationOf',
    ]);
  });

  it('loads no optional package', async () => {
    const program = `
      import { createRequire } from 'node:module';
      const require = createRequire(${JSON.stringify(import.meta.url)});
      await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
      // opossum is CommonJS: had it been imported, it would be in the cache.
      console.log(Object.keys(require.cache).some((path) => path.includes('opossum')));
      await import(${JSON.stringify(new URL('./circuit-breaker/index.ts', import.meta.url).href)});
      console.log(Object.keys(require.cache).some((path) => path.includes('opossum')));
    `;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout.trim().split('\n')).toEqual(['false', 'true']);
  });
});
