import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import { register } from '../../registration/register.ts';
import type { Registration } from '../../registration/registration.ts';
import { FakeRegistrar } from '../../registration/test-support/fake-registrar.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { createMetrics } from './metrics.ts';
import { createRegistrationMetrics } from './registration-metrics.ts';

function announced(): {
  readonly registration: Registration;
  readonly registrar: FakeRegistrar;
  readonly pass: (durationMs: number) => Promise<void>;
} {
  const runtime = createManualRuntime();
  const registrar = new FakeRegistrar(() => runtime.clock.nowMs());
  const registry = { kind: 'fake', address: 'nowhere', open: () => registrar };
  const options = { registry, service: 'users', id: 'users-1', port: 80 };
  return {
    registrar,
    registration: register(options, runtime),
    pass: (durationMs) => runtime.scheduler.advanceAsync(durationMs),
  };
}

const LABELS = '{service="users",instance_id="users-1",registry="fake"}';

describe('createRegistrationMetrics', () => {
  it('says how a registration stands when it is asked', async () => {
    const { registration, registrar, pass } = announced();
    const metrics = createRegistrationMetrics({ registrations: [registration] });
    const value = async (name: string): Promise<string | undefined> => {
      const text = await metrics.registry.metrics();
      const start = `evenkeel_registration_${name}${LABELS} `;
      return text
        .split('\n')
        .find((line) => line.startsWith(start))
        ?.slice(start.length);
    };
    // Nothing can be told yet of a call that is under way.
    const text = await metrics.registry.metrics();
    expect(text).toContain(`evenkeel_registration_announced${LABELS} 0`);
    expect(text).not.toContain(`last_success_age_seconds${LABELS}`);
    await pass(0);
    expect(await value('announced')).toBe('1');
    await pass(60_000);
    const { beatCount } = registration.status();
    expect(beatCount).toBeGreaterThan(5);
    expect(await value('heartbeats_total')).toBe(String(beatCount));
    registration.setHealth('degraded');
    expect(await value('healthy')).toBe('0.5');
    registrar.known = false;
    await pass(6_000);
    expect(await value('losses_total')).toBe('1');
    registrar.mode = 'fails';
    await pass(60_000);
    const { errorCount, sinceSuccessMs } = registration.status();
    expect(await value('errors_total')).toBe(String(errorCount));
    expect(await value('last_success_age_seconds')).toBe(String((sinceSuccessMs ?? 0) / 1_000));
    registration.setHealth('unhealthy');
    expect(await value('healthy')).toBe('0');
  });

  it('shares a registry with the metrics of clusters, and leaves it as it was', async () => {
    const clusters = createMetrics();
    const before = await clusters.registry.metrics();
    const { registration } = announced();
    const metrics = createRegistrationMetrics({ registry: clusters.registry });
    metrics.add(registration);
    expect(await clusters.registry.metrics()).toContain(`registration_announced${LABELS} 0`);
    metrics.remove(registration);
    expect(await clusters.registry.metrics()).not.toContain(LABELS);
    expect(() => createRegistrationMetrics({ registry: clusters.registry })).toThrow(
      /already been registered/u,
    );
    expect(await clusters.registry.metrics()).toContain('registration_announced');
    metrics.close();
    metrics.close();
    expect(await clusters.registry.metrics()).toBe(before);
  });

  it('refuses a prefix that Prometheus would not take', () => {
    expect(() => createRegistrationMetrics({ prefix: '1st' })).toThrow(ConfigError);
  });
});
