import type { HealthReport, Registrar } from '../registration.ts';

/** A registry that keeps announcements as a test says. */
export class FakeRegistrar implements Registrar {
  readonly ttlMs = 15_000;
  /** `announce healthy`, `beat degraded`, `withdraw` ... in order. */
  readonly history: string[] = [];
  /** When each call was made. */
  readonly timesMs: number[] = [];
  /** Is the announcement there? */
  known = false;
  mode: 'works' | 'fails' | 'hangs' = 'works';
  closeCount = 0;
  underWay = 0;
  mostUnderWay = 0;
  readonly #nowMs: () => number;
  readonly #held: (() => void)[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  announce({ health, note }: HealthReport): Promise<void> {
    return this.#call(`announce ${health} ${note}`, () => {
      this.known = true;
    });
  }

  beat({ health, note }: HealthReport): Promise<'known' | 'lost'> {
    return this.#call(`beat ${health} ${note}`, () => (this.known ? 'known' : 'lost'));
  }

  withdraw(): Promise<void> {
    return this.#call('withdraw', () => {
      this.known = false;
    });
  }

  close(): Promise<void> {
    this.closeCount += 1;
    return Promise.resolve();
  }

  /** Lets calls that hang go on. */
  release(): void {
    this.mode = 'works';
    for (const go of this.#held.splice(0)) go();
  }

  async #call<T>(what: string, run: () => T): Promise<T> {
    this.history.push(what.trim());
    this.timesMs.push(this.#nowMs());
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      if (this.mode === 'hangs') await new Promise<void>((resolve) => this.#held.push(resolve));
      else await Promise.resolve();
      if (this.mode === 'fails') throw new Error('connection refused');
      return run();
    } finally {
      this.underWay -= 1;
    }
  }
}
