/** Where client-side throttling settles, in virtual time, against the arithmetic of its formula. */
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../algorithm/token-bucket.ts';
import { Outcome } from '../model/outcome.ts';
import { XorShift128 } from '../runtime/random.ts';
import { ClientThrottle, type ClientThrottleOptions } from './client-throttle.ts';

/** What became of the requests of a stretch of time, as parts of the demand. */
interface Stretch {
  readonly sent: number;
  readonly accepted: number;
}

class Client {
  readonly #throttle: ClientThrottle;
  readonly #accepts: (nowMs: number) => boolean;
  readonly #perSecond: number;
  #nowMs = 0;

  constructor(
    options: ClientThrottleOptions,
    perSecond: number,
    accepts: (nowMs: number) => boolean,
  ) {
    this.#throttle = new ClientThrottle(options, { random: new XorShift128(81) });
    this.#perSecond = perSecond;
    this.#accepts = accepts;
  }

  run(seconds: number): Stretch {
    const demand = seconds * this.#perSecond;
    let sent = 0;
    let accepted = 0;
    for (let request = 0; request < demand; request++) {
      this.#nowMs += 1_000 / this.#perSecond;
      if (!this.#throttle.tryAcquire(this.#nowMs)) continue;
      sent++;
      const isAccepted = this.#accepts(this.#nowMs);
      if (isAccepted) accepted++;
      this.#throttle.finish(isAccepted ? Outcome.success : Outcome.overloaded, this.#nowMs);
    }
    return { sent: sent / demand, accepted: accepted / demand };
  }
}

/** Accepts so many per second and refuses the rest at once. */
function capacity(perSecond: number): (nowMs: number) => boolean {
  const bucket = new TokenBucket({ capacity: 5, refillPerSecond: perSecond });
  return (nowMs) => bucket.tryTake(nowMs);
}

/** Standard deviation of a share of n draws is below 0.5 / sqrt(n): 0.002 of 60,000. */
const TOLERANCE = 0.012;

describe('a server that accepts 100 per second of 500', () => {
  it.each([1.25, 2, 3])('is sent K = %d times what it accepts', (acceptMultiplier) => {
    const client = new Client({ acceptMultiplier }, 500, capacity(100));
    client.run(240);
    const { sent, accepted } = client.run(120);
    // p = 1 - K * A / R, so the part sent is K * A / R.
    expect(Math.abs(sent - (acceptMultiplier * 100) / 500)).toBeLessThan(TOLERANCE);
    // Throttling costs nothing of what the server could do.
    expect(accepted).toBeGreaterThan(0.2 * 0.98);
  });
});

describe('a server that accepts a part of whatever it is sent', () => {
  it('is left alone as long as that part is above 1 / K', () => {
    const random = new XorShift128(82);
    const client = new Client({}, 500, () => random.nextInt32() >>> 0 < 0.6 * 2 ** 32);
    client.run(240);
    expect(client.run(120).sent).toBeGreaterThan(0.999);
  });

  it('is throttled up to the limit when that part is below 1 / K', () => {
    // With a = 0.4: p = 1 - 2 * 0.4 * (1 - p) has the one solution p = 1; the limit stops it at 0.75.
    const random = new XorShift128(83);
    const client = new Client({}, 500, () => random.nextInt32() >>> 0 < 0.4 * 2 ** 32);
    client.run(480);
    expect(Math.abs(client.run(120).sent - 0.25)).toBeLessThan(TOLERANCE);
  });
});

describe('an outage of five minutes', () => {
  it('leaves a quarter of the requests, and is forgotten within two windows', () => {
    let isUp = true;
    const client = new Client({}, 500, () => isUp);
    expect(client.run(60).sent).toBe(1);
    isUp = false;
    client.run(240);
    expect(Math.abs(client.run(60).sent - 0.25)).toBeLessThan(TOLERANCE);
    isUp = true;
    // From now on at least a quarter is sent, and accepted. After one window nothing else is in it: p <= 1 - 2 / 4.
    // After the second all that is in it was accepted with p <= 1 / 2: p <= 1 - 2 / 2.
    client.run(120);
    expect(client.run(10).sent).toBeGreaterThanOrEqual(0.5);
    client.run(110);
    expect(client.run(10).sent).toBe(1);
  });

  it('would go unnoticed for most of a window without the limit', () => {
    let isUp = false;
    const options = { maxRejectRatio: 1 };
    const client = new Client(options, 500, () => isUp);
    client.run(300);
    isUp = true;
    // One in 60,000 was sent; the first that is accepted changes little.
    expect(client.run(60).sent).toBeLessThan(0.01);
  });
});
