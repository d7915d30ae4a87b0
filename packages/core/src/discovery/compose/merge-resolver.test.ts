import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import type { Discovery } from '../resolver.ts';
import { FakeSource } from '../test-support/fake-source.ts';
import { Recorder } from '../test-support/recorder.ts';
import { merge } from './merge.ts';

function start(sources: readonly Discovery[]) {
  const runtime = createManualRuntime();
  const resolver = merge(sources).create({ cluster: 'users', runtime });
  const recorder = new Recorder();
  resolver.start(recorder);
  return { resolver, recorder, runtime };
}

describe('merge', () => {
  it('hands over one union of what the parts deliver at once', () => {
    const { recorder } = start([
      new FakeSource('a', { atStart: ['10.0.0.1:80'] }),
      new FakeSource('b', { atStart: ['10.0.0.2:80'] }),
    ]);
    expect(recorder.sets).toHaveLength(1);
    expect(recorder.ids).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  it('delivers as soon as one part has, whichever it is', () => {
    const [a, b] = [new FakeSource('a'), new FakeSource('b')];
    const { recorder } = start([a, b]);
    expect(recorder.sets).toEqual([]);
    b.deliver(['10.0.0.2:80']);
    expect(recorder.ids).toEqual(['10.0.0.2:80']);
    a.deliver(['10.0.0.1:80']);
    expect(recorder.ids).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  it('takes an endpoint with the same id from the earlier part, whoever delivers first', () => {
    const [a, b] = [new FakeSource('a'), new FakeSource('b')];
    const { recorder } = start([a, b]);
    b.deliver([{ address: '10.0.0.1:80', weight: 9 }]);
    a.deliver([{ address: '10.0.0.1:80', weight: 3 }]);
    expect(recorder.sets.at(-1)?.endpoints.map(({ weight }) => weight)).toEqual([3]);
    a.deliver([]);
    expect(recorder.sets.at(-1)?.endpoints.map(({ weight }) => weight)).toEqual([9]);
  });

  it('keeps the endpoints of a part that fails, and passes its error on', () => {
    const [a, b] = [new FakeSource('a'), new FakeSource('b')];
    const { recorder, resolver } = start([a, b]);
    a.deliver(['10.0.0.1:80']);
    b.deliver(['10.0.0.2:80']);
    a.fail('gone');
    b.deliver(['10.0.0.3:80']);
    expect(recorder.ids).toEqual(['10.0.0.1:80', '10.0.0.3:80']);
    expect(recorder.lastError).toBe('fake a: gone');
    expect(resolver.status()).toMatchObject({ healthy: true, lastError: 'gone', errorCount: 1 });
    b.fail('gone, too');
    expect(resolver.status().healthy).toBe(false);
    expect(resolver.status().parts?.map(({ source }) => source)).toEqual(['a', 'b']);
  });

  it('says nothing when the union stays the same', () => {
    const [a, b] = [new FakeSource('a'), new FakeSource('b')];
    const { recorder } = start([a, b]);
    a.deliver(['10.0.0.1:80', '10.0.0.2:80']);
    b.deliver(['10.0.0.2:80']);
    expect(recorder.sets).toHaveLength(1);
  });

  it('keeps the last union when a new one would be too large', () => {
    const [a, b] = [new FakeSource('a'), new FakeSource('b')];
    const { recorder } = start([a, b]);
    const many = (prefix: number): string[] =>
      Array.from({ length: 40_000 }, (_, i) => `10.${prefix}.${i >> 8}.${i & 255}:80`);
    a.deliver(many(1));
    b.deliver(many(2));
    expect(recorder.sets).toHaveLength(1);
    expect(recorder.lastError).toMatch(/80000 endpoints together, at most 65536/);
  });

  it('refreshes and closes every part', async () => {
    const [a, b] = [new FakeSource('a'), new FakeSource('b')];
    const { resolver } = start([a, b]);
    resolver.refresh();
    await resolver.close();
    expect([a.refreshCount, b.refreshCount, a.closeCount, b.closeCount]).toEqual([1, 1, 1, 1]);
  });

  it('refuses an empty list, a long one, and what is no discovery', () => {
    expect(() => merge([])).toThrow(ConfigError);
    expect(() => merge(Array.from({ length: 65 }, () => new FakeSource('a')))).toThrow(/1 to 64/);
    expect(() => merge([{} as Discovery])).toThrow('merge[0]: expected a discovery');
  });
});
