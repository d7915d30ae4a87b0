import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createManualRuntime } from '../testing/manual-runtime.ts';
import { discoverySchema } from './config.ts';
import { consulSource } from './consul/consul.ts';
import { decodeDiscovery } from './decode-discovery.ts';
import { FakeSource } from './test-support/fake-source.ts';
import { Recorder } from './test-support/recorder.ts';

const environment = { cluster: 'users', runtime: createManualRuntime() };

describe('decodeDiscovery', () => {
  it('takes a discovery as it is', () => {
    const source = new FakeSource('a');
    expect(decodeDiscovery(source, 'discovery')).toBe(source);
  });

  it.each([
    { raw: ['10.0.0.1:80'], kind: 'static' },
    { raw: { static: ['10.0.0.1:80', { host: 'a', port: 1 }] }, kind: 'static' },
    { raw: { static: [] }, kind: 'static' },
    { raw: { file: { path: 'a.yaml' } }, kind: 'file' },
    { raw: { dns: { name: 'a.test', port: 80 } }, kind: 'dns' },
    { raw: { dns: { srv: '_http._tcp.a.test', servers: ['127.0.0.1:5353'] } }, kind: 'dns' },
    { raw: { merge: [['a:1'], { static: ['b:1'] }] }, kind: 'merge' },
    { raw: { fallback: [{ dns: { name: 'a', port: 1 } }, ['b:1']] }, kind: 'fallback' },
    { raw: { fallback: { sources: [['a:1']], afterMs: 5_000 } }, kind: 'fallback' },
    { raw: { fallback: [{ merge: [['a:1'], ['b:1']] }] }, kind: 'fallback' },
  ])('builds $kind of $raw', ({ raw, kind }) => {
    expect(decodeDiscovery(raw, 'discovery').kind).toBe(kind);
  });

  it('builds what it says', async () => {
    const resolver = decodeDiscovery({ merge: [['a:1'], { static: ['b:1'] }] }, 'd').create(
      environment,
    );
    const recorder = new Recorder();
    resolver.start(recorder);
    expect(recorder.ids).toEqual(['a:1', 'b:1']);
    await resolver.close();
  });

  it.each([
    {
      raw: undefined,
      problem: 'discovery: expected a list of endpoints, or an object with one of static',
    },
    { raw: 'dns', problem: 'discovery: expected a list of endpoints, or' },
    { raw: {}, problem: 'discovery: expected' },
    { raw: { dsn: { name: 'a', port: 1 } }, problem: 'discovery.dsn: expected no such option' },
    {
      raw: { dns: { nmae: 'a', port: 1 } },
      problem: 'discovery.dns.nmae: expected no such option',
    },
    {
      raw: { dns: { name: 'a', port: 70_000 } },
      problem: 'discovery.dns.port: expected an integer',
    },
    { raw: { file: {} }, problem: 'discovery.file.path: expected' },
    { raw: ['a:1', 'b'], problem: 'discovery[1]: expected' },
    { raw: ['a:1', 'a:1'], problem: 'discovery[1]: expected an id not used before' },
    {
      raw: { static: ['a:1', { host: 'b', prot: 1 }] },
      problem: 'discovery.static[1].prot: expected no such',
    },
    {
      raw: { static: ['a:1', 'a:1'] },
      problem: 'discovery.static[1]: expected an id not used before',
    },
    { raw: { merge: [] }, problem: 'discovery.merge: expected at least one source' },
    { raw: { merge: [{ dns: { name: 'a' } }] }, problem: 'discovery.merge[0].dns.port' },
    { raw: { merge: [['a:1'], { file: { paht: 'x' } }] }, problem: 'discovery.merge[1].file.paht' },
    {
      raw: { fallback: { sources: [['a:1']], afterMs: -1 } },
      problem: 'discovery.fallback.afterMs',
    },
    {
      raw: { static: ['a:1'], file: { path: 'a.json' } },
      problem: 'expected exactly one of static',
    },
  ])('refuses $raw', ({ raw, problem }) => {
    expect(() => decodeDiscovery(raw, 'discovery')).toThrow(problem);
  });
});

describe('discoverySchema', () => {
  it('can be exported as JSON Schema', () => {
    const schema = JSON.stringify(z.toJSONSchema(discoverySchema, { unrepresentable: 'throw' }));
    for (const word of ['static', 'pollIntervalMs', 'servers', 'fallback', 'hashKey']) {
      expect(schema).toContain(`"${word}"`);
    }
  });

  describe('kinds of other entries', () => {
    const kinds = [consulSource];
    it.each([
      { raw: { consul: { service: 'users' } }, kind: 'consul' },
      { raw: { fallback: [{ consul: { service: 'users' } }, ['a:1']] }, kind: 'fallback' },
      { raw: { dns: { name: 'a.test', port: 80 } }, kind: 'dns' },
    ])('are known when passed: $raw', ({ raw, kind }) => {
      expect(decodeDiscovery(raw, 'discovery', kinds).kind).toBe(kind);
    });

    it('say in the error what to pass', () => {
      expect(() => decodeDiscovery({ consul: { service: 'users' } }, 'discovery')).toThrow(
        /discovery\.consul: .*sources: \[consulSource\].*@evenkeel\/core\/consul/u,
      );
    });

    it('have their options checked, at any depth', () => {
      const raw = { merge: [['a:1'], { consul: { service: 'users', waitMS: 3 } }] };
      expect(() => decodeDiscovery(raw, 'discovery', kinds)).toThrow(
        /discovery\.merge\[1\]\.consul\.waitMS: expected no such option; did you mean 'waitMs'/u,
      );
    });
  });
});
