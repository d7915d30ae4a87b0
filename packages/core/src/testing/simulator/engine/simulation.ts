import type { ClusterPorts } from '../../../cluster/create-cluster.ts';
import type { ClusterOptions } from '../../../config/cluster-config.ts';
import type { PickContext } from '../../../model/pick-context.ts';
import type { Policy } from '../../../policy/policy.ts';
import type { ActiveHealthChecker } from '../../../health/health.ts';
import type { ProbeConfig, Prober } from '../../../policy/probing.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { XorShift128 } from '../../../runtime/random.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { ServerResult } from '../result.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { AntagonistPlay } from './antagonist-play.ts';
import { SimulatedChecker, type SimulatedCheckerParts } from './checker.ts';
import { SimulatedClient } from './client.ts';
import type { ClientEnvironment } from './environment.ts';
import { codeOf, EventKind, kindOf, subjectOf } from './event-kind.ts';
import { EventQueue } from './event-queue.ts';
import { planFaults } from './faults.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { IndexedHeap } from './indexed-heap.ts';
import { LoadCurve } from './load-curve.ts';
import { LoadMonitor } from './load-monitor.ts';
import { Membership } from './membership.ts';
import { placed } from './placement.ts';
import { SimulatedProber } from './prober.ts';
import { Recorder } from './recorder.ts';
import { RequestDesk } from './request-desk.ts';
import { RequestFlow } from './request-flow.ts';
import type { Server } from './server.ts';
import { Purpose, seedOf, streamOf } from './stream.ts';
import { VirtualTime } from './virtual-time.ts';
import { createWorkSource } from './work-source.ts';

export interface SimulationParts {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Options of a client's cluster, besides its name and discovery. */
  optionsOf(environment: ClientEnvironment): Omit<ClusterOptions, 'name' | 'discovery'>;
  /** Policies that those options may name, besides the built-in ones. */
  policiesOf(environment: ClientEnvironment): readonly Policy[];
  readonly createCircuitBreakers: ClusterPorts['createCircuitBreakers'];
}

type ServerUsage = Pick<ServerResult, 'utilization' | 'meanRunning'>;

/** One run: sets everything up, lets it happen in order of time, and leaves the numbers behind. */
export class Simulation {
  readonly fleet: Fleet;
  readonly clients: readonly SimulatedClient[];
  readonly recorder: Recorder;
  readonly scenario: Scenario;
  ejectionCount = 0;
  panicCount = 0;
  /** Of each server over the measured time, which ends before the last request does. */
  usage: readonly ServerUsage[] = [];

  readonly #seed: number;
  readonly #endMs: number;
  readonly #events = new EventQueue();
  readonly #finishes: IndexedHeap;
  readonly #time: VirtualTime;
  readonly #flow: RequestFlow;
  readonly #desk: RequestDesk;
  readonly #antagonists: AntagonistPlay;
  readonly #membership: Membership;
  readonly #byId: ReadonlyMap<string, Server>;
  readonly #load: LoadCurve;

  constructor(parts: SimulationParts) {
    const { scenario, seed } = parts;
    this.scenario = scenario;
    this.#seed = seed;
    this.#endMs = scenario.warmUpMs + scenario.durationMs;
    this.fleet = createFleet(scenario, seed);
    const { servers } = this.fleet;
    this.#byId = new Map(servers.map((server) => [server.id, server]));
    this.#finishes = new IndexedHeap(servers.length);
    this.#time = new VirtualTime({
      putTask: (timeMs, task) => this.#put(timeMs, EventKind.task, task),
    });
    this.#membership = new Membership(servers, this.#time, scenario.discoveryDelayMs);
    this.#load = new LoadCurve(scenario.load);
    this.#antagonists = new AntagonistPlay(this.fleet, seed);
    this.recorder = new Recorder(
      { fromMs: scenario.warmUpMs, untilMs: this.#endMs },
      servers.length,
    );
    this.clients = Array.from({ length: scenario.clients }, (_, index) =>
      this.#createClient(index, parts),
    );
    const shared = {
      time: this.#time,
      events: this.#events,
      clients: this.clients,
      recorder: this.recorder,
    };
    this.#flow = new RequestFlow({
      ...shared,
      network: scenario.network,
      seed,
      finishes: this.#finishes,
      servers,
      onAnswer: (request, outcome) => this.#desk.answered(request, outcome),
    });
    const contexts = contextsOf(scenario);
    this.#desk = new RequestDesk({ ...shared, scenario, flow: this.#flow, contexts });
  }

  /** Runs to the end: until no request is left. */
  run(): void {
    const { scenario } = this;
    this.#antagonists.begin((timeMs, server) => this.#put(timeMs, EventKind.antagonist, server));
    planFaults(scenario.faults, {
      servers: this.fleet.servers,
      endMs: this.#endMs,
      at: (timeMs, task) => void this.#time.after(timeMs, task),
      nowMs: () => this.#time.timeMs,
      onServerChange: (server) => this.#finishes.set(server.index, server.nextFinishMs),
      onServerDeath: (server) => this.#flow.dropAll(server),
      setListed: (server, listed) => this.#membership.setListed(server, listed),
    });
    this.#time.after(scenario.warmUpMs, () => {
      for (const server of this.fleet.servers) {
        server.settle(this.#time.timeMs);
        server.meter.reset(this.#time.timeMs);
      }
    });
    this.#time.after(this.#endMs, () => {
      for (const server of this.fleet.servers) server.settle(this.#time.timeMs);
      this.usage = this.fleet.servers.map(({ meter, cores }) => ({
        utilization: meter.meanUtilization(cores),
        meanRunning: meter.meanRunningCount(),
      }));
    });
    this.#loop(this.#arrivals());
    for (const client of this.clients) client.close();
  }

  /** Requests that someone still thinks in flight. */
  leakedCount(): number {
    const atClients = this.clients.reduce(
      (sum, { cluster }) => sum + cluster.snapshot().totals.activeCount,
      0,
    );
    const atServers = this.fleet.servers.reduce(
      (sum, { runningCount, outstandingCount }) => sum + runningCount + outstandingCount,
      0,
    );
    return atClients + atServers;
  }

  /** Three queues, and always the earliest of their heads. */
  #loop(arrive: () => void): void {
    const events = this.#events;
    const finishes = this.#finishes;
    const { deadlines, requests } = this.#flow;
    const time = this.#time;
    const { servers } = this.fleet;
    // What clusters put off while they were set up.
    time.runSoon();
    for (;;) {
      const eventMs = events.nextMs;
      const finishMs = finishes.topKey;
      const deadlineMs = deadlines.nextMs;
      if (finishMs <= eventMs && finishMs <= deadlineMs) {
        if (finishMs === Number.POSITIVE_INFINITY) return;
        time.timeMs = finishMs;
        this.#flow.finishNext(servers[finishes.top] as Server);
      } else if (deadlineMs <= eventMs) {
        time.timeMs = deadlineMs;
        this.#desk.deadline();
      } else {
        // Health checks and antagonists would go on for ever.
        if (eventMs > this.#endMs && requests.liveCount === 0) return;
        time.timeMs = eventMs;
        events.take();
        this.#dispatch(events.code, events.tag, arrive);
      }
      if (time.hasSoon) time.runSoon();
    }
  }

  #dispatch(code: number, tag: number, arrive: () => void): void {
    const subject = subjectOf(code);
    switch (kindOf(code)) {
      case EventKind.arrival:
        return arrive();
      case EventKind.deliver:
        return this.#flow.deliver(subject, tag);
      case EventKind.receive:
        return this.#flow.receive(subject, tag);
      case EventKind.failFast:
        return this.#flow.failFast(subject, tag);
      case EventKind.tryTimeout:
        return this.#desk.tryTimeout(subject, tag);
      case EventKind.retry:
        return this.#desk.retry(subject, tag);
      case EventKind.hedge:
        return this.#desk.hedge(subject, tag);
      case EventKind.task:
        return this.#time.run(subject);
      case EventKind.antagonist: {
        const server = this.fleet.servers[subject] as Server;
        const nextMs = this.#antagonists.turn(server, this.#time.timeMs);
        this.#finishes.set(subject, server.nextFinishMs);
        return this.#put(nextMs, EventKind.antagonist, subject);
      }
    }
  }

  /** Puts in the first arrival. @returns what happens at an arrival: the request, and the next arrival */
  #arrivals(): () => void {
    const { scenario } = this;
    const arrivals = streamOf(this.#seed, Purpose.arrivals);
    const routing = streamOf(this.#seed, Purpose.routing);
    const work = streamOf(this.#seed, Purpose.work);
    const keys = streamOf(this.#seed, Purpose.keys);
    const traits = streamOf(this.#seed, Purpose.traits);
    const workOf = createWorkSource(scenario.work);
    const { keyCount, asks, lowPercent } = scenario;
    const peakPerMs = (this.fleet.capacityPerSecond / 1_000) * (this.#load.maxPercent / 100);
    const next = (): void => {
      const timeMs = this.#load.nextArrivalMs(this.#time.timeMs, peakPerMs, arrivals);
      if (timeMs < this.#endMs) this.#put(timeMs, EventKind.arrival, 0);
    };
    next();
    return () => {
      const key = keyCount > 0 ? keys.index(keyCount) : 0;
      const ask = asks.length === 0 ? 0 : drawAsk(asks, traits.unit() * 100);
      this.#desk.arrive({
        client: routing.index(scenario.clients),
        key,
        context: ask * Math.max(1, keyCount) + key,
        work: workOf(work),
        low: lowPercent > 0 && traits.unit() * 100 < lowPercent,
      });
      next();
    };
  }

  #createClient(index: number, parts: SimulationParts): SimulatedClient {
    const { zones } = this.fleet;
    const zone = zones[index % Math.max(1, zones.length)] ?? '';
    const runtime: Runtime = {
      clock: this.#time,
      scheduler: this.#time,
      random: new XorShift128(seedOf(parts.seed, Purpose.client, index)),
      logger: silentLogger,
    };
    const environment: ClientEnvironment = {
      client: index,
      zone,
      runtime,
      world: { servers: this.fleet.servers, serverOf: (id) => this.#byId.get(id) },
    };
    const { scenario } = this;
    const place = { client: index, clientCount: scenario.clients, zone, zones };
    const client = new SimulatedClient({
      index,
      zone,
      runtime,
      ports: {
        policies: parts.policiesOf(environment),
        createCircuitBreakers: parts.createCircuitBreakers,
        createProber: (config) => this.#createProber(config, zone),
        createChecker: (config, health, listener) =>
          this.#createChecker({ config, environment: health, listener }, zone),
      },
      options: {
        ...placed(parts.optionsOf(environment), place),
        name: `client-${index}`,
        discovery: this.#membership.discovery,
      },
      world: environment.world,
      scenario,
      onEvent: ({ type }) => {
        if (type === 'endpoint-ejected') this.ejectionCount++;
        else if (type === 'panic-entered') this.panicCount++;
      },
    });
    if (client.wantsReports) this.#startMonitors();
    return client;
  }

  #createProber(config: ProbeConfig, zone: string): Prober {
    this.#startMonitors();
    return new SimulatedProber({ config, time: this.#time, ...this.#waysFrom(zone) });
  }

  #createChecker(
    parts: Omit<SimulatedCheckerParts, 'serverOf' | 'delayTo'>,
    zone: string,
  ): ActiveHealthChecker {
    return new SimulatedChecker({ ...parts, ...this.#waysFrom(zone) });
  }

  #waysFrom(zone: string): Pick<SimulatedCheckerParts, 'serverOf' | 'delayTo'> {
    const { delayMs, crossZoneDelayMs = delayMs } = this.scenario.network;
    return {
      serverOf: (id) => this.#byId.get(id),
      delayTo: (server) =>
        server.zone === zone || server.zone === '' ? delayMs : crossZoneDelayMs,
    };
  }

  /** From now on servers keep account of their load: somebody wants to hear of it. */
  #startMonitors(): void {
    for (const server of this.fleet.servers) server.monitor ??= new LoadMonitor(server);
  }

  #put(timeMs: number, kind: EventKind, subject: number): void {
    this.#events.put(timeMs, codeOf(kind, subject), 0);
  }
}

/** By ask, the first of which is none, and by key. */
function contextsOf({ keyCount, asks }: Scenario): PickContext[] {
  const subsets = [undefined, ...asks.map(({ subset }) => subset)];
  return subsets.flatMap((subset) =>
    Array.from({ length: Math.max(1, keyCount) }, (_, key) => ({
      ...(subset === undefined ? {} : { subset }),
      ...(keyCount > 0 ? { hashKey: `key-${key}` } : {}),
    })),
  );
}

/** The ask in whose part of 0..100 the percentage lies; 0: none, 1: the first. */
function drawAsk(asks: Scenario['asks'], percent: number): number {
  let sum = 0;
  return asks.findIndex((ask) => percent < (sum += ask.percent)) + 1;
}
