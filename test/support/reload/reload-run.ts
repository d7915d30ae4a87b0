/**
 * Clients that ask all the time, while the configuration of the proxy changes again and again and endpoints come and go.
 * Every answer is compared with what its question has to get: from a cluster that the routes of the time between question
 * and answer name for it, complete, and for this question alone.
 */
import { type Cluster, createCluster, type Discovery } from '@evenkeel/core';
import { createProxy, type ListenerOptions, type Proxy, type ProxyOptions } from '@evenkeel/proxy';
import { type Examiner, LoadClient } from './load-client.ts';
import { LoadOrigin } from './load-origin.ts';
import { PREFIXES, type Question, questionOf } from './message.ts';
import { WatchedEndpoints } from './watched-endpoints.ts';

export interface ReloadRunOptions {
  readonly requests: number;
  readonly reloads: number;
  /** At a time. Default 48. */
  readonly clients?: number | undefined;
}

export interface ReloadResult {
  /** Answered as they had to be. */
  readonly requests: number;
  readonly failed: number;
  /** Answered by a cluster that had nothing to do with it, with another one's answer, or damaged. */
  readonly mixedUp: number;
  /** Sent again, because the connection had said that it would end before them. */
  readonly askedAgain: number;
  readonly reloads: number;
  /** Endpoints that joined or left. */
  readonly endpointChanges: number;
  readonly seconds: number;
  /** The first things that were wrong. */
  readonly wrong: readonly string[];
  /** What the proxy has after the clients have left and everything has drained; all 0. */
  readonly leftOver: Readonly<Record<string, number>>;
  /** Lines of the access logs of all configurations. */
  readonly logLines: number;
}

const NAMES = ['north', 'east', 'south'] as const;
const MAX_TOLD = 10;
/** Endpoints of each cluster that are always there, and how many come and go. */
const STEADY = 2;

/** All servers of one cluster, and the cluster, which may be another one from time to time. */
class Service {
  readonly name: string;
  cluster: Cluster;
  #origins: LoadOrigin[];
  #discovery: WatchedEndpoints;
  readonly leaving: Promise<void>[] = [];
  changeCount = 0;

  private constructor(name: string, origins: LoadOrigin[]) {
    this.name = name;
    this.#origins = origins;
    this.#discovery = new WatchedEndpoints(this.#ports);
    this.cluster = this.#createCluster(this.#discovery);
  }

  static async start(name: string): Promise<Service> {
    const origins = await Promise.all(
      Array.from({ length: STEADY + 1 }, () => LoadOrigin.start(name)),
    );
    return new Service(name, origins);
  }

  get #ports(): number[] {
    return this.#origins.map(({ port }) => port);
  }

  #createCluster(discovery: Discovery): Cluster {
    return createCluster({ name: this.name, discovery, policy: 'round-robin' });
  }

  /** One endpoint leaves, and is closed when nobody uses it any more; or one comes. */
  async changeEndpoints(): Promise<void> {
    this.changeCount++;
    if (this.#origins.length > STEADY) {
      const left = this.#origins.shift() as LoadOrigin;
      this.#discovery.deliver(this.#ports);
      this.leaving.push(left.leave());
    } else {
      this.#origins.push(await LoadOrigin.start(this.name));
      this.#discovery.deliver(this.#ports);
    }
  }

  /** Another cluster with the same servers. @returns the old one */
  replace(): Cluster {
    const old = this.cluster;
    this.#discovery = new WatchedEndpoints(this.#ports);
    this.cluster = this.#createCluster(this.#discovery);
    return old;
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await Promise.all([...this.#origins.map((origin) => origin.leave()), ...this.leaving]);
  }
}

class Run implements Examiner {
  readonly #options: ReloadRunOptions;
  readonly #services: readonly Service[];
  #proxy: Proxy | undefined = undefined;
  /** Configurations that have been begun, and that are in force. */
  #begun = 0;
  #inForce = 0;
  #asked = 0;
  #answered = 0;
  #failed = 0;
  #mixedUp = 0;
  #askedAgain = 0;
  #logLines = 0;
  readonly #wrong: string[] = [];
  /** The last configurations of listeners that are gone, by port. */
  readonly #lastOf = new Map<number, number>();
  #waiting: { readonly at: number; readonly resolve: () => void } | undefined = undefined;

  constructor(options: ReloadRunOptions, services: readonly Service[]) {
    this.#options = options;
    this.#services = services;
  }

  async run(): Promise<ReloadResult> {
    const proxy = await createProxy(this.#optionsOf(0));
    this.#proxy = proxy;
    const startedAt = performance.now();
    const { clients = 48, requests, reloads } = this.#options;
    const done = Promise.all(
      Array.from({ length: clients }, (_, index) =>
        // Some ask several questions at a time, some use the listener that comes and goes, some do both.
        new LoadClient(this, { depth: index % 3 === 0 ? 4 : 1, roams: index % 4 === 1 }).run(),
      ),
    );
    const drained: Promise<void>[] = [];
    for (let turn = 1; turn <= reloads; turn++) {
      await this.#reached(Math.floor((requests * turn) / (reloads + 1)));
      await this.#services[turn % NAMES.length]?.changeEndpoints();
      drained.push((await this.#reload(turn)).drained);
    }
    await done;
    const seconds = (performance.now() - startedAt) / 1_000;
    await Promise.all(drained);
    // Those that say so close a moment after their last answer.
    await untilQuiet(() => proxy.stats.clientCount === 0);
    const { clientCount, routes } = proxy.stats;
    const leftOver = {
      clients: clientCount,
      activeRequests: routes.reduce((sum, { activeCount }) => sum + activeCount, 0),
      meters: routes.length - 1 - PREFIXES.length,
      busyConnections: proxy.stats.upstreamCount - proxy.stats.idleUpstreamCount,
      clusterRequests: this.#services.reduce(
        (sum, { cluster }) => sum + cluster.snapshot().totals.activeCount,
        0,
      ),
    };
    await proxy.close();
    return {
      requests: this.#answered,
      failed: this.#failed,
      mixedUp: this.#mixedUp,
      askedAgain: this.#askedAgain,
      reloads: this.#inForce,
      endpointChanges: this.#services.reduce((sum, { changeCount }) => sum + changeCount, 0),
      seconds,
      wrong: this.#wrong,
      leftOver,
      logLines: this.#logLines,
    };
  }

  portFor(client: LoadClient): number {
    const { addresses } = this.#proxy as Proxy;
    return (client.options.roams ? addresses.at(-1) : addresses[0])?.port ?? 0;
  }

  next(): Question | undefined {
    if (this.#asked >= this.#options.requests) return undefined;
    return questionOf(++this.#asked);
  }

  /** A listener that is not there any more keeps the routes that it had. */
  now(port: number): number {
    return this.#lastOf.get(port) ?? this.#inForce;
  }

  answered(question: Question, cluster: string | undefined, askedAt: number): void {
    const names = new Set<string>();
    for (let turn = askedAt; turn <= this.#begun; turn++)
      names.add(clusterFor(turn, PREFIXES.indexOf(question.prefix)));
    if (cluster !== undefined && names.has(cluster)) this.#answered++;
    else {
      this.#mixedUp++;
      this.#tell(`${question.id}: ${cluster ?? 'another answer'}, not ${[...names].join(' or ')}`);
    }
    this.#progress();
  }

  failed(question: Question, reason: string): void {
    this.#failed++;
    this.#tell(`${question.id} (configuration ${this.#inForce}): ${reason}`);
    this.#progress();
  }

  askedAgain(): void {
    this.#askedAgain++;
  }

  #tell(what: string): void {
    if (this.#wrong.length < MAX_TOLD) this.#wrong.push(what);
  }

  #progress(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#answered + this.#failed + this.#mixedUp < waiting.at) return;
    this.#waiting = undefined;
    waiting.resolve();
  }

  #reached(at: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { at, resolve };
      this.#progress();
    });
  }

  /** @returns when nothing of what was before is left */
  async #reload(turn: number): Promise<{ readonly drained: Promise<void> }> {
    // Every third time a cluster is another object, with other connections.
    const old = turn % 3 === 0 ? this.#services[turn % 2]?.replace() : undefined;
    const options = this.#optionsOf(turn);
    this.#begun = turn;
    const proxy = this.#proxy as Proxy;
    const before = proxy.addresses;
    const { drained } = await proxy.apply(options);
    const ports = new Set(proxy.addresses.map(({ port }) => port));
    for (const { port } of before) if (!ports.has(port)) this.#lastOf.set(port, turn - 1);
    this.#inForce = turn;
    return { drained: drained.then(() => old?.close()) };
  }

  #optionsOf(turn: number): ProxyOptions {
    const steady: ListenerOptions = { listen: '127.0.0.1:0', http: { routes: routesOf(turn) } };
    // The first of its kind stays, the second comes and goes.
    const listeners = turn % 4 < 2 ? [steady, steady] : [steady];
    const tag = turn % 5;
    return {
      clusters: this.#services.map(({ cluster }) => cluster),
      listeners,
      timeouts: { keepAliveMs: 60_000 + turn },
      limits: { maxConnectionsPerEndpoint: 64 + (turn % 8) },
      via: turn % 2 === 0 ? 'evenkeel' : false,
      requestId: turn % 3 === 1,
      accessLog: {
        format: `${tag} %{status}`,
        write: (lines) => {
          this.#logLines += lines.split('\n').length - 1;
        },
      },
    };
  }
}

function clusterFor(turn: number, prefix: number): string {
  return NAMES[(turn + prefix) % NAMES.length] as string;
}

function routesOf(turn: number): NonNullable<ListenerOptions['http']>['routes'] {
  return PREFIXES.map((prefix, index) => ({
    // Its meter goes with it.
    name: `${prefix} ${turn % 7}`,
    match: { path: { prefix: `${prefix}/` } },
    cluster: clusterFor(turn, index),
  }));
}

async function untilQuiet(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 5_000;
  while (!condition() && performance.now() < limit)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

export async function runReloads(options: ReloadRunOptions): Promise<ReloadResult> {
  const services = await Promise.all(NAMES.map((name) => Service.start(name)));
  try {
    return await new Run(options, services).run();
  } finally {
    await Promise.all(services.map((service) => service.close()));
  }
}
