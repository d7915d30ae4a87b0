import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../error/evenkeel-error.ts';
import { endpointSetOf } from '../model/endpoint-set.ts';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import { SourceReport } from './source-report.ts';
import { Recorder } from './test-support/recorder.ts';

function start() {
  const messages: string[] = [];
  const ignore = (): void => undefined;
  const logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (_fields: object, message: string) => void messages.push(message),
  };
  const runtime = createManualRuntime({ logger });
  const report = new SourceReport({ kind: 'fake', source: 'it' }, { cluster: 'users', runtime });
  const recorder = new Recorder();
  report.open(recorder);
  return { report, recorder, runtime, messages };
}

const one = endpointSetOf(['10.0.0.1:80']);
const two = endpointSetOf(['10.0.0.1:80', '10.0.0.2:80']);

describe('SourceReport', () => {
  it('hands a set over once, and again when a property changed', () => {
    const { report, recorder } = start();
    report.succeed(one);
    report.succeed(endpointSetOf(['10.0.0.1:80']));
    report.succeed(two);
    report.succeed(endpointSetOf(['10.0.0.2:80', '10.0.0.1:80']));
    report.succeed(endpointSetOf(['10.0.0.1:80', { address: '10.0.0.2:80', weight: 2 }]));
    expect(recorder.sets.map((set) => set.endpoints.length)).toEqual([1, 2, 2]);
    expect(report.status()).toMatchObject({ refreshCount: 5, errorCount: 0, healthy: true });
  });

  it('reports every failure with kind and source, and keeps the last set', () => {
    const { report, recorder, runtime } = start();
    runtime.clock.set(10);
    report.succeed(one);
    runtime.clock.set(20);
    report.fail('gone', new Error('beneath'));
    report.fail('gone');
    expect(recorder.errors.map(({ message }) => message)).toEqual([
      'fake it: gone',
      'fake it: gone',
    ]);
    expect(isEvenkeelError(recorder.errors[0], 'EVENKEEL_DISCOVERY')).toBe(true);
    expect(recorder.errors[0]).toMatchObject({ retryable: true, cause: new Error('beneath') });
    expect(report.last).toBe(one);
    expect(report.status()).toEqual({
      kind: 'fake',
      source: 'it',
      healthy: false,
      lastSuccessMs: 10,
      lastError: 'gone',
      refreshCount: 3,
      errorCount: 2,
    });
  });

  it('reports a complaint when it appears or changes, and stays healthy', () => {
    const { report, recorder } = start();
    report.succeed(one, 'port 0');
    report.succeed(one, 'port 0');
    expect(report.status()).toMatchObject({ healthy: true, lastError: 'port 0', errorCount: 1 });
    report.succeed(one, 'port 0 and more');
    report.succeed(one);
    expect(report.status().lastError).toBeUndefined();
    report.succeed(one, 'port 0');
    expect(recorder.errors).toHaveLength(3);
  });

  it('is silent after close', () => {
    const { report, recorder } = start();
    report.close();
    report.succeed(one);
    report.fail('late');
    expect(recorder.sets).toEqual([]);
    expect(recorder.errors).toEqual([]);
  });

  it('survives a listener that throws, and logs it', () => {
    const { runtime, messages } = start();
    const report = new SourceReport({ kind: 'fake', source: 'it' }, { cluster: 'c', runtime });
    const angry = (): never => {
      throw new Error('no');
    };
    report.open({ onEndpoints: angry, onError: angry });
    report.succeed(one);
    report.fail('x');
    expect(messages).toEqual(['a discovery listener threw', 'a discovery listener threw']);
  });

  it('cannot be started twice', () => {
    const { report } = start();
    expect(() => report.open(new Recorder())).toThrow(/started only once/);
  });
});
