import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { NO_SLOT } from '../model/pick-context.ts';
import type { CookieAffinityOptions } from './config.ts';
import { createCookieAffinity } from './cookie-affinity.ts';
import { pairOf, scriptedCluster } from './test-support/scripted-cluster.ts';

const A = '10.0.0.1:80';
const B = '10.0.0.2:80';
const C = '10.0.0.3:80';
const SECRET = 'a secret of enough bytes';
const HOUR_MS = 3_600_000;

function setUp(
  options: Partial<CookieAffinityOptions> = {},
  scripted = scriptedCluster([A, B, C]),
) {
  const { cluster, runtime } = scripted;
  const affinity = createCookieAffinity(
    cluster,
    { secrets: [SECRET], name: 'route', ...options },
    runtime,
  );
  /** A request with this Cookie header: where it goes, and what the browser has afterwards. */
  const request = (cookie: string | undefined, exclude: readonly number[] = []) => {
    const visit = affinity.read(cookie);
    const slot = affinity.pick(visit, { exclude });
    const setCookie = affinity.setCookie(visit, slot);
    return { visit, slot, setCookie, cookie: setCookie === undefined ? cookie : pairOf(setCookie) };
  };
  return { ...scripted, affinity, request };
}

describe('a client', () => {
  it('is given a cookie with its first answer and stays with that endpoint', () => {
    const { request, affinity } = setUp();
    const first = request(undefined);
    expect(first.visit.status).toBe('absent');
    expect(first.setCookie).toMatch(
      /^route=[A-Za-z0-9_-]{48}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/,
    );
    for (let i = 0; i < 10; i++) {
      const next = request(`theme=dark; ${first.cookie}; lang=en`);
      expect(next).toMatchObject({ slot: first.slot, setCookie: undefined });
    }
    expect(affinity.stats()).toEqual({
      visits: { absent: 1, invalid: 0, expired: 0, gone: 0, valid: 10 },
      keptCount: 10,
      movedCount: 0,
    });
  });

  it('of many each have their own, and new ones are spread by the policy', () => {
    const { request } = setUp();
    const slots = Array.from({ length: 30 }, () => request(undefined).slot);
    expect(new Set(slots).size).toBe(3);
  });

  it.each<[Partial<CookieAffinityOptions>, string]>([
    [{ session: true }, '; Path=/; HttpOnly; SameSite=Lax'],
    [
      { path: '/app', domain: 'example.com', maxAgeMs: HOUR_MS, secure: true, sameSite: 'none' },
      '; Path=/app; Domain=example.com; Max-Age=3600; Secure; HttpOnly; SameSite=None',
    ],
    [{ httpOnly: false, sameSite: 'strict' }, '; Path=/; Max-Age=86400; SameSite=Strict'],
  ])('sees the attributes %j', (options, attributes) => {
    const { request } = setUp(options);
    const { setCookie = '' } = request(undefined);
    expect(setCookie.slice(setCookie.indexOf(';'))).toBe(attributes);
  });

  it('that sends rubbish is served as a new one', () => {
    const { request } = setUp();
    const { visit, slot, setCookie } = request(`route=${'A'.repeat(48)}`);
    expect(visit).toEqual({ status: 'invalid', slot: NO_SLOT, renew: false });
    expect(slot).not.toBe(NO_SLOT);
    expect(setCookie).toBeDefined();
  });

  it('may carry old cookies of the same name in front of the good one', () => {
    const { request } = setUp();
    const { cookie, slot } = request(undefined);
    expect(request(`route=old; route=${'A'.repeat(48)}; ${cookie}`)).toMatchObject({
      slot,
      setCookie: undefined,
    });
  });

  it('that sends a hundred of them is not worth the search', () => {
    const { request } = setUp();
    const { cookie } = request(undefined);
    expect(request(`${'route=old; '.repeat(100)}${cookie}`).visit.status).toBe('invalid');
  });
});

describe('time', () => {
  it('renews a cookie after half of its life, and ends it after the whole', () => {
    const { request, runtime } = setUp({ maxAgeMs: HOUR_MS });
    const { cookie, slot } = request(undefined);
    runtime.clock.set(HOUR_MS / 2 - 1_000);
    expect(request(cookie).setCookie).toBeUndefined();
    runtime.clock.set(HOUR_MS / 2 + 1_000);
    const renewed = request(cookie);
    expect(renewed).toMatchObject({ slot, visit: { status: 'valid', renew: true } });
    expect(renewed.cookie).not.toBe(cookie);
    runtime.clock.set(HOUR_MS);
    expect(request(cookie).visit.status).toBe('expired');
    expect(request(renewed.cookie)).toMatchObject({ slot, setCookie: undefined });
  });

  it('of a session cookie is limited as well', () => {
    const { request, runtime } = setUp({ maxAgeMs: HOUR_MS, session: true });
    const { cookie } = request(undefined);
    runtime.clock.set(HOUR_MS);
    expect(request(cookie).visit.status).toBe('expired');
  });
});

describe('secrets', () => {
  it('change without losing anybody: the old one verifies, the new one signs', () => {
    const scripted = scriptedCluster([A, B, C]);
    const before = setUp({}, scripted);
    const first = before.request(undefined);
    const during = setUp({ secrets: ['another secret, as long', SECRET] }, scripted);
    const renewed = during.request(first.cookie);
    expect(renewed).toMatchObject({ slot: first.slot, visit: { status: 'valid', renew: true } });
    const after = setUp({ secrets: ['another secret, as long'] }, scripted);
    expect(after.request(first.cookie).visit.status).toBe('invalid');
    expect(after.request(renewed.cookie)).toMatchObject({ slot: first.slot, setCookie: undefined });
  });

  it('shared by two processes make them agree, whatever their slots', () => {
    const here = setUp({}, scriptedCluster([A, B, C]));
    const there = setUp({}, scriptedCluster([C, B, A]));
    for (const id of [A, B, C]) {
      const { endpoint } = here.cluster.snapshot().endpoints.find((one) => one.id === id) ?? {};
      const cookie = pairOf(endpoint && here.affinity.issue(endpoint));
      expect(there.request(cookie).slot).toBe(there.slotOf(id));
    }
  });

  it('of another cluster do not let its cookies in', () => {
    const orders = setUp({}, scriptedCluster([A, B, C], { name: 'orders' }));
    const { cookie } = orders.request(undefined);
    expect(setUp().request(cookie).visit.status).toBe('invalid');
  });

  it('too short are refused, without being shown', () => {
    const { cluster } = scriptedCluster([A]);
    const create = (): unknown => createCookieAffinity(cluster, { secrets: ['dear'] });
    expect(create).toThrow(ConfigError);
    expect(create).not.toThrow(/dear/);
  });
});

describe('failover', () => {
  it('when the endpoint is ejected: another one, and a cookie for that', () => {
    const { request, eject, affinity } = setUp();
    const first = request(undefined);
    eject(first.slot);
    const second = request(first.cookie);
    expect(second.visit).toMatchObject({ status: 'valid', slot: first.slot });
    expect(second.slot).not.toBe(first.slot);
    expect(request(second.cookie)).toMatchObject({ slot: second.slot, setCookie: undefined });
    expect(affinity.stats()).toMatchObject({ keptCount: 1, movedCount: 1 });
  });

  it('when the endpoint failed this request: the cookie names the one that answered', () => {
    const { affinity, request } = setUp();
    const first = request(undefined);
    const visit = affinity.read(first.cookie);
    expect(affinity.pick(visit)).toBe(first.slot);
    const second = affinity.pick(visit, { exclude: [first.slot] });
    expect(second).not.toBe(first.slot);
    const setCookie = affinity.setCookie(visit, second);
    expect(affinity.read(pairOf(setCookie)).slot).toBe(second);
  });

  it('when the endpoint drains, and when it is gone', () => {
    const { request, cluster, slotOf, list, affinity } = setUp();
    const endpoint = cluster.endpoint(slotOf(B));
    const cookie = pairOf(endpoint && affinity.issue(endpoint));
    const slot = slotOf(B);
    cluster.start(slot);
    list(A, C);
    expect(cluster.stateOf(slot)).toBe('draining');
    expect(request(cookie)).toMatchObject({ visit: { status: 'valid', slot } });
    expect(request(cookie).slot).not.toBe(slot);
    cluster.finish(slot, 0, 1);
    expect(request(cookie).visit).toMatchObject({ status: 'gone', slot: NO_SLOT });
    list(A, B, C);
    expect(request(cookie)).toMatchObject({ slot: slotOf(B), setCookie: undefined });
  });

  it('never leads to the endpoint that took over the slot', () => {
    const { request, cluster, slotOf, list, affinity } = setUp();
    const slot = slotOf(B);
    const endpoint = cluster.endpoint(slot);
    const cookie = pairOf(endpoint && affinity.issue(endpoint));
    request(cookie);
    list(A, C);
    list(A, C, '10.0.0.4:80');
    expect(slotOf('10.0.0.4:80')).toBe(slot);
    expect(request(cookie).visit.status).toBe('gone');
  });

  it('does not happen when strict, until the endpoint is gone or an operator says so', () => {
    const { request, cluster, slotOf, eject, list, affinity } = setUp({ strict: true });
    const slot = slotOf(B);
    const endpoint = cluster.endpoint(slot);
    const cookie = pairOf(endpoint && affinity.issue(endpoint));
    eject(slot);
    expect(cluster.stateOf(slot)).toBe('ejected');
    expect(request(cookie).slot).toBe(slot);
    cluster.start(slot);
    list(A, C);
    expect(request(cookie).slot).toBe(slot);
    cluster.setEnabled(B, false);
    expect(request(cookie).slot).not.toBe(slot);
    cluster.setEnabled(B, true);
    expect(request(cookie).slot).toBe(slot);
    cluster.finish(slot, 0, 1);
    expect(request(cookie)).toMatchObject({ visit: { status: 'gone' } });
  });

  it('does not happen in panic, where health is ignored for all', () => {
    const { request, cluster, slotOf, eject, affinity } = setUp(
      {},
      scriptedCluster([A, B, C], {
        outlierDetection: { maxEjectionPercent: 100, successRate: false },
      }),
    );
    const slot = slotOf(B);
    const endpoint = cluster.endpoint(slot);
    const cookie = pairOf(endpoint && affinity.issue(endpoint));
    eject(slotOf(A));
    eject(slot);
    expect(cluster.isInPanic(slot)).toBe(true);
    expect(request(cookie)).toMatchObject({ slot, setCookie: undefined });
  });
});

describe('the end', () => {
  it('of the cluster: nobody is picked and no cookie is set', async () => {
    const { request, cluster } = setUp();
    const { cookie } = request(undefined);
    await cluster.close();
    expect(request(cookie)).toMatchObject({ slot: NO_SLOT, setCookie: undefined });
    expect(request(undefined)).toMatchObject({ slot: NO_SLOT, setCookie: undefined });
  });

  it('of the affinity: cookies are no longer understood, the cluster goes on', () => {
    const { request, affinity } = setUp();
    const { cookie } = request(undefined);
    affinity.close();
    affinity.close();
    expect(request(cookie).visit.status).toBe('gone');
    expect(request(cookie).slot).not.toBe(NO_SLOT);
  });
});

describe('explain', () => {
  it('says where a client would stay and why not, and counts nothing', () => {
    const { affinity, cluster, runtime } = setUp();
    const endpoint = cluster.endpoint(0);
    if (endpoint === undefined) throw new Error('no endpoint');
    const cookie = pairOf(affinity.issue(endpoint));
    expect(affinity.explain(cookie)).toEqual({
      status: 'valid',
      endpoint,
      reason: 'the cookie names it',
    });
    expect(affinity.explain(cookie, { exclude: [0] })).toMatchObject({
      status: 'valid',
      endpoint: undefined,
    });
    expect(affinity.explain(undefined)).toMatchObject({
      status: 'absent',
      reason: 'there is no cookie',
    });
    expect(affinity.explain('route=x').status).toBe('invalid');
    runtime.clock.set(runtime.clock.nowMs() + 25 * HOUR_MS);
    expect(affinity.explain(cookie)).toMatchObject({ status: 'expired', endpoint: undefined });
    expect(affinity.stats()).toEqual({
      visits: { absent: 0, invalid: 0, expired: 0, gone: 0, valid: 0 },
      keptCount: 0,
      movedCount: 0,
    });
  });
});
