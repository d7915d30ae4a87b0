import { createCookieAffinity, type CookieAffinity } from '../../../affinity/cookie-affinity.ts';
import type { Cluster } from '../../../cluster/face.ts';
import type { PickContext } from '../../../model/pick-context.ts';
import type { Clock } from '../../../runtime/clock.ts';

/** The browsers of one client, which keep what cookies they get: the real affinity, without the HTTP around it. */
export class BrowserCookies {
  readonly #affinity: CookieAffinity;
  readonly #cookies = new Map<number, string>();

  constructor(cluster: Cluster, clock: Clock) {
    const secrets = ['of the simulation, and no secret at all'];
    this.#affinity = createCookieAffinity(cluster, { secrets }, { clock });
  }

  /** @returns a slot, or `NO_SLOT` */
  pick(browser: number, context: PickContext): number {
    return this.#affinity.pick(this.#affinity.read(this.#cookies.get(browser)), context);
  }

  /** An answer of the endpoint in this slot reaches the browser. */
  answered(browser: number, slot: number): void {
    const visit = this.#affinity.read(this.#cookies.get(browser));
    const header = this.#affinity.setCookie(visit, slot);
    // What a browser sends back is what stands before the attributes.
    if (header !== undefined) this.#cookies.set(browser, header.split(';', 1)[0] ?? '');
  }

  close(): void {
    this.#affinity.close();
  }
}
