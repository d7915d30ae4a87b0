/**
 * A scenario: the circumstances under which policies are compared. Plain data, so that it can stand in a YAML or JSON
 * file as well as in code; `decodeScenario` and `decodeScenarioFile` check it and fill in the defaults.
 *
 * Times count from the start of the run, the warm-up included.
 */

/** What a user writes. Only `name` and `servers` are needed. */
export interface ScenarioOptions {
  /** 1..64 characters. */
  readonly name: string;
  /** A sentence for reports. Default none. */
  readonly description?: string | undefined;
  /** Clients, each with a cluster of its own that knows only its own requests. 1..10,000, default 20. */
  readonly clients?: number | undefined;
  /** 1..64 groups, together at most 10,000 servers. */
  readonly servers: readonly ServerGroupOptions[];
  /** What else runs on the machines of the servers. Default nothing. */
  readonly antagonists?: readonly AntagonistOptions[] | undefined;
  readonly work?: WorkOptions | undefined;
  /**
   * Load in percent of the mean true capacity (antagonists deducted, faults not), 0.1..1,000; or steps, of which the
   * first must be at 0. Default 70.
   */
  readonly load?: number | readonly LoadStepOptions[] | undefined;
  readonly network?: NetworkOptions | undefined;
  /**
   * Time that a request may take in all, 1 ms..1 h, default 1,000. When it is over, the client gives up and the server
   * stops working on it.
   */
  readonly deadlineMs?: number | undefined;
  /** Time at the start that is not measured, 0..1 h, default 4,000. */
  readonly warmUpMs?: number | undefined;
  /** Measured time, 100 ms..24 h, default 15,000. */
  readonly durationMs?: number | undefined;
  /** What goes wrong. Default nothing. */
  readonly faults?: readonly FaultOptions[] | undefined;
  /** Retries of the clients. Default: none. */
  readonly retry?: RetryOptions | undefined;
  /** Second tries at answers that are late. Default: none. */
  readonly hedge?: HedgeOptions | undefined;
  /** Distinct affinity keys of the requests, 0..1,000,000, all equally likely. Default 0: requests carry no key. */
  readonly keyCount?: number | undefined;
  /**
   * How a key leads to a server. `key`, the default: by the policy, if it goes by keys. `cookie`: every key is a browser,
   * which stays with one client and keeps the signed cookie that it gets.
   */
  readonly affinity?: 'key' | 'cookie' | undefined;
  /** Part of the requests that are of low criticality, 0..100; the others are normal. Default 0. */
  readonly lowPercent?: number | undefined;
  /** Requests that name a subset. Default: none does. The percentages together at most 100. */
  readonly asks?: readonly AskOptions[] | undefined;
  /**
   * Options of the clients' clusters but for name and discovery, in the words of the code also in a file. What topology
   * needs to know of the clients is filled in: `locality`, `peers` for `zoneAware`, `index` and `count` of `aperture`.
   */
  readonly cluster?: Readonly<Record<string, unknown>> | undefined;
  /** How long a change of the members takes to reach the clients, 0..1 h, default 0. */
  readonly discoveryDelayMs?: number | undefined;
}

/** Servers that are alike. */
export interface ServerGroupOptions {
  /** 1..10,000. */
  readonly count: number;
  /** Requests that run at full speed at the same time, 0.1..1,024. Default 4. */
  readonly cores?: number | undefined;
  /** Relative speed of a core, 0.001..1,000. Default 1. */
  readonly speed?: number | undefined;
  /** The weight that discovery gives out, 0..1,000,000. Default 1. */
  readonly weight?: number | undefined;
  /** Names one zone for all, or several that they are dealt out to in turn. Default: no zone. */
  readonly zone?: string | readonly string[] | undefined;
  /** The priority that discovery gives out, 0..127. Default 0. */
  readonly priority?: number | undefined;
  /** The metadata that discovery gives out. Default none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Requests that a server takes at a time; more are answered at once with "overloaded". Default: any number. */
  readonly maxRequests?: number | undefined;
}

/** A part of the requests that only some servers may serve. */
export interface AskOptions {
  readonly subset: Readonly<Record<string, string>>;
  /** 0..100. */
  readonly percent: number;
}

/** Something that takes cores away from time to time. A server has at most one; who has one is drawn. */
export interface AntagonistOptions {
  /** Share of all servers, 0..100 percent. The groups together at most 100. */
  readonly serverPercent: number;
  /** Share of the cores that it takes while it is on, 0..1. */
  readonly takesRatio: number;
  /** Mean time on, exponential, 1 ms..1 h. */
  readonly onMs: number;
  /** Mean time off, exponential, 1 ms..1 h. */
  readonly offMs: number;
}

/** The work of a request, in time on a core of speed 1. */
export interface WorkOptions {
  /** 0.001 ms..60 s, default 10. */
  readonly meanMs?: number | undefined;
  /**
   * `exponential` (the default), `constant`, `normal` with a deviation as large as the mean, what falls below 0 being 0,
   * or `pareto`, which has a heavy tail.
   */
  readonly shape?: WorkShape | undefined;
  /** Tail index of `pareto`, 1.01..10, default 1.8: below 2 the variance is infinite but for the cap. */
  readonly alpha?: number | undefined;
  /** Most work of one request under `pareto`, at least the mean, default 1,000. */
  readonly capMs?: number | undefined;
}

export type WorkShape = 'exponential' | 'constant' | 'normal' | 'pareto';

/** A change of the load. Between steps it stays. */
export interface LoadStepOptions {
  readonly atMs: number;
  /** The load to be reached, 0..1,000 percent. */
  readonly percent: number;
  /** Time over which the load moves there in a straight line, 0..24 h, default 0: at once. */
  readonly overMs?: number | undefined;
}

export interface NetworkOptions {
  /** One way, 0..10 s, default 0.25. */
  readonly delayMs?: number | undefined;
  /** One way between zones, 0..10 s, default that of `delayMs`. Clients are dealt out to the zones in turn. */
  readonly crossZoneDelayMs?: number | undefined;
}

export interface RetryOptions {
  /** Attempts in all, 1..6, default 2. */
  readonly attempts?: number | undefined;
  /** Time limit of one attempt, 1 ms..1 h. Default: only the deadline. */
  readonly perTryMs?: number | undefined;
  /** Retries per first attempt that the budget of each client allows, 0..10, default 0.2. */
  readonly budgetRatio?: number | undefined;
  /** Retries per second that it allows in any case, 0..1,000,000, default 10. */
  readonly minPerSecond?: number | undefined;
}

/** Options of the client's own `HedgePolicy`, which has the defaults. */
export interface HedgeOptions {
  /** Time after which another server is asked, 0..10 min. Default: the percentile. */
  readonly delayMs?: number | undefined;
  /** Or after that of so many first tries, 1..99.99. Default 95. */
  readonly percentile?: number | undefined;
  /** 1..4, default 1. */
  readonly maxHedges?: number | undefined;
}

/** Something that goes wrong with some servers, for some time. */
export type FaultOptions =
  | SlowFaultOptions
  | FailFastFaultOptions
  | BlackHoleFaultOptions
  | RefuseFaultOptions
  | ErrorsFaultOptions
  | DegradeFaultOptions
  | DeployFaultOptions;

/** Which servers. Conditions narrow the choice; of the servers that meet them, the first ones are taken. */
export interface ServerSelector {
  readonly zone?: string | undefined;
  /** Position of a group in `servers`. */
  readonly group?: number | undefined;
  /** How many; default all. Not together with `percent`. */
  readonly count?: number | undefined;
  /** How many, as a share of those that meet the conditions, 0..100. */
  readonly percent?: number | undefined;
}

interface FaultBase {
  /** Default: all servers. */
  readonly servers?: ServerSelector | undefined;
  /** Default 0. */
  readonly fromMs?: number | undefined;
}

interface LastingFault extends FaultBase {
  /** Default: to the end. */
  readonly untilMs?: number | undefined;
  /** Comes and goes between `fromMs` and `untilMs`, beginning with on. Default: on all the time. */
  readonly flap?: FlapOptions | undefined;
}

export interface FlapOptions {
  readonly onMs: number;
  readonly offMs: number;
}

/** Works more slowly. */
export interface SlowFaultOptions extends LastingFault {
  readonly kind: 'slow';
  /** How many times as slowly, above 0..10,000. Default 16. */
  readonly factor?: number | undefined;
}

/** Answers at once, with an error: a missing dependency, a bad configuration. */
export interface FailFastFaultOptions extends LastingFault {
  readonly kind: 'fail-fast';
  /** Time from arrival to the answer, 0..1 h, default 0.5. */
  readonly afterMs?: number | undefined;
  /** HTTP 500, or 502 to 504. Default `serverError`. */
  readonly outcome?: 'serverError' | 'gatewayError' | undefined;
}

/** Takes requests and does not go on with any: a deadlock, a network that swallows packets. */
export interface BlackHoleFaultOptions extends LastingFault {
  readonly kind: 'black-hole';
}

/** The process is gone: requests that run break off, new ones find nobody listening. */
export interface RefuseFaultOptions extends LastingFault {
  readonly kind: 'refuse';
}

/** A share of the answers are errors, after the usual work. */
export interface ErrorsFaultOptions extends LastingFault {
  readonly kind: 'errors';
  /** 0..1. */
  readonly ratio: number;
  /** HTTP 500, or 502 to 504. Default `serverError`. */
  readonly outcome?: 'serverError' | 'gatewayError' | undefined;
}

/** Works, but asks to be spared when its health is checked. Without `health` among the options nobody hears it. */
export interface DegradeFaultOptions extends LastingFault {
  readonly kind: 'degrade';
}

/** A deploy wave: in turn each server leaves discovery, finishes its requests, restarts and is listed again. */
export interface DeployFaultOptions extends FaultBase {
  readonly kind: 'deploy';
  /** Servers that go at the same time, 1..10,000, default 1. */
  readonly batch?: number | undefined;
  /** From one batch to the next, 1 ms..1 h, default 1,000. */
  readonly everyMs?: number | undefined;
  /** From leaving discovery to the end of the process, 0..1 h, default 500. */
  readonly drainMs?: number | undefined;
  /** From the end of the process to being listed again, 0..1 h, default 1,000. */
  readonly downMs?: number | undefined;
  /** After it is back a server works more slowly for this time, 0..1 h, default 0. */
  readonly coldMs?: number | undefined;
  /** So many times as slowly, above 0..10,000. Default 4. */
  readonly coldFactor?: number | undefined;
}

/** Checked, with the defaults filled in. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly clients: number;
  readonly servers: readonly ServerGroup[];
  readonly antagonists: readonly AntagonistOptions[];
  readonly work: Filled<WorkOptions>;
  readonly load: readonly Filled<LoadStepOptions>[];
  readonly network: { readonly delayMs: number; readonly crossZoneDelayMs?: number | undefined };
  readonly deadlineMs: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  readonly retry?:
    (Filled<Omit<RetryOptions, 'perTryMs'>> & Pick<RetryOptions, 'perTryMs'>) | undefined;
  readonly hedge?: HedgeOptions | undefined;
  readonly keyCount: number;
  readonly affinity: 'key' | 'cookie';
  readonly lowPercent: number;
  readonly asks: readonly AskOptions[];
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly discoveryDelayMs: number;
}

export type ServerGroup = Filled<Omit<ServerGroupOptions, 'maxRequests'>> &
  Pick<ServerGroupOptions, 'maxRequests'>;

export type Fault =
  | LastingFaultOf<SlowFaultOptions>
  | LastingFaultOf<FailFastFaultOptions>
  | LastingFaultOf<BlackHoleFaultOptions>
  | LastingFaultOf<RefuseFaultOptions>
  | LastingFaultOf<ErrorsFaultOptions>
  | LastingFaultOf<DegradeFaultOptions>
  | DeployFault;

export type DeployFault = Filled<DeployFaultOptions>;
export type LastingFaultKind = Exclude<Fault, DeployFault>;

type LastingFaultOf<Options extends LastingFault> = Filled<Omit<Options, 'untilMs' | 'flap'>> &
  Pick<LastingFault, 'untilMs' | 'flap'>;

/** All fields present. */
type Filled<Options> = {
  readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined>;
};
