import type { RunOptions } from '@evenkeel/core/testing';

/** A policy as the suite runs it. */
export interface Contender {
  /** In figures: stable. */
  readonly name: string;
  readonly run: RunOptions;
  /** Is it told the speed of every server, as its weight? */
  readonly knowsSpeeds?: boolean;
}

/** What everything is measured against. */
export const ORACLE = 'jsq';
/** Takes load reports with answers, and sends no probes. */
export const REPORTS_ONLY = 'prequal-reports-only';
/** The policy that a cluster has unless told otherwise, and that the targets are for. */
export const DEFAULT = 'peak-ewma';

const named = (policy: string): Contender => ({ name: policy, run: { policy } });

/** Policies that a user would take for requests without a key. */
const KEYLESS: readonly Contender[] = [
  named(DEFAULT),
  named('least-request'),
  {
    name: 'least-request-full-scan',
    run: { policy: { name: 'least-request', fullScan: true }, label: 'least-request-full-scan' },
  },
  named('round-robin'),
  { ...named('weighted-round-robin'), knowsSpeeds: true },
  named('random'),
];

/** Policies that servers tell their load. */
const TOLD: readonly Contender[] = [
  named('prequal'),
  {
    name: REPORTS_ONLY,
    run: { policy: { name: 'prequal', probesPerRequest: 0 }, label: REPORTS_ONLY },
  },
  // With its default of 10 s most of a run would pass before the weights count.
  { name: 'orca-weighted', run: { policy: { name: 'orca-weighted', blackoutMs: 1_000 } } },
];

/** Hash policies, for requests with one of many keys: one of those that only hash, and one that looks at load too. */
const KEYED: readonly Contender[] = [
  named('maglev'),
  {
    name: 'bounded-load',
    run: { policy: { name: 'bounded-load', policy: 'maglev' }, label: 'bounded-load' },
  },
];

/** As far as load and latency go, these do what `maglev` does. */
const OTHER_KEYED: readonly Contender[] = [
  named('ring-hash'),
  named('ketama'),
  named('rendezvous'),
];

/** The state of the servers is theirs to see. */
const ORACLES: readonly Contender[] = [named(ORACLE), named('sed')];

/** For uneven servers under load. */
export const CONTENDERS: readonly Contender[] = [...KEYLESS, ...TOLD, ...KEYED, ...ORACLES];
/** For bad servers: everybody. */
export const ALL_CONTENDERS: readonly Contender[] = [
  ...KEYLESS,
  ...TOLD,
  ...KEYED,
  ...OTHER_KEYED,
  ...ORACLES,
];
/** Everybody who has to do with what a client can know. */
export const POLICIES: readonly Contender[] = [...KEYLESS, ...TOLD, ...KEYED, ...OTHER_KEYED];
