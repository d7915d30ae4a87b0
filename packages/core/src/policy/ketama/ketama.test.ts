import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEndpoint, type EndpointInput } from '../../model/endpoint.ts';
import { decode } from '../../schema/decode.ts';
import {
  countById,
  endpointsOf,
  fiveSigma,
  hashKeys,
  keyedPolicy,
  pickedId,
  placement,
  sharesById,
} from '../test-support/keyed.ts';
import { ketamaSchema } from './config.ts';
import { serverNameOf } from './server-name.ts';

describe('ketama options', () => {
  it('are only the source of keys', () => {
    expect(decode(ketamaSchema, { hashKey: { query: 'id' } }, 'policy')).toEqual({
      hashKey: { query: 'id' },
    });
    expect(() => decode(ketamaSchema, { points: 160 }, 'policy')).toThrow(
      'policy.points: expected no such option',
    );
  });
});

describe('serverNameOf', () => {
  it.each<[EndpointInput, string]>([
    ['10.0.0.1:11211', '10.0.0.1'],
    ['10.0.0.1:11212', '10.0.0.1:11212'],
    ['10.0.0.1:1121', '10.0.0.1:1121'],
    ['cache-1.example:11211', 'cache-1.example'],
    ['[::1]:11211', '::1'],
    ['[::1]:11212', '::1:11212'],
    ['unix:/run/memcached:11211', 'unix:/run/memcached:11211'],
    [{ address: '10.0.0.1:11211', hashKey: 'cache-a:11211' }, 'cache-a:11211'],
  ])('names %j as libmemcached does', (input, name) => {
    expect(serverNameOf(createEndpoint(input))).toBe(name);
  });
});

/** Four little-endian words of the MD5 of a text. */
function words(text: string): number[] {
  const digest = createHash('md5').update(text).digest();
  return [0, 4, 8, 12].map((at) => digest.readUInt32LE(at));
}

/** The continuum by its definition for servers of equal weight: 40 digests each. */
function continuumOf(names: readonly string[]): { position: number; name: string }[] {
  return names
    .flatMap((name) =>
      Array.from({ length: 40 }, (_, index) =>
        words(`${name}-${index}`).map((position) => ({ position, name })),
      ),
    )
    .flat()
    .sort((a, b) => a.position - b.position);
}

describe('ketama', () => {
  it('walks the continuum of its definition', () => {
    const addresses = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.2:11212', '10.0.0.3:11213'];
    const policy = keyedPolicy(
      'ketama',
      addresses.map((address) => ({ address })),
    );
    const continuum = continuumOf(['10.0.0.1', '10.0.0.2', '10.0.0.2:11212', '10.0.0.3:11213']);
    for (const hashKey of hashKeys(200)) {
      const position = words(hashKey)[0]!;
      const first = Math.max(
        0,
        continuum.findIndex((point) => point.position >= position),
      );
      const around = [...continuum.slice(first), ...continuum.slice(0, first)];
      const exclude: number[] = [];
      for (const name of new Set(around.map((point) => point.name))) {
        const id = pickedId(policy, { hashKey, exclude });
        expect(id?.replace(/:11211$/, '')).toBe(name);
        exclude.push(policy.slotOf(id!));
      }
    }
  });

  it('explains the point', () => {
    const policy = keyedPolicy('ketama', endpointsOf(2));
    const [chosen] = policy.explain({ hashKey: 'user-42' }, 0);
    const position = words('user-42')[0]!.toString(16).padStart(8, '0');
    expect(chosen?.reason).toBe(
      `owner of the key: it owns the next of 320 points behind key hash ${position}`,
    );
  });

  it('spreads keys as the arcs say, near the weights', () => {
    const policy = keyedPolicy(
      'ketama',
      endpointsOf(6, (index) => 1 + index),
    );
    const shares = sharesById(policy);
    const keys = hashKeys(20_000);
    const counts = countById(placement(policy, keys));
    [...shares].forEach(([id, share]) => {
      const weighted = (1 + policy.slotOf(id)) / 21;
      const points = 160 * 6 * weighted;
      // 5/sqrt(points) of sampling, and up to four points lost to rounding down.
      expect(Math.abs(share / weighted - 1)).toBeLessThan(5 / Math.sqrt(points) + 4 / points);
      expect(Math.abs(counts.get(id)! - share * keys.length)).toBeLessThan(
        fiveSigma(keys.length, share),
      );
    });
  });

  it('gives no key to a server far below the mean weight, as libmemcached, but reaches it by exclusion', () => {
    const weights = [100, 100, 1];
    const policy = keyedPolicy(
      'ketama',
      endpointsOf(3, (index) => weights[index]!),
    );
    expect(sharesById(policy).get('10.0.0.2:80')).toBe(0);
    for (const hashKey of hashKeys(20))
      expect(policy.pick({ hashKey, exclude: [0, 1] }, 0)).toBe(2);
  });
});
