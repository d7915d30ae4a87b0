import { isEligible } from '../model/health-state.ts';
import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { ClusterAdmission } from './admission/cluster-admission.ts';
import { explainAdmission } from './admission/explain-admission.ts';
import { explainAffinity } from './explain-affinity.ts';
import type { ExplainedCandidate, PickExplanation } from './face.ts';
import type { Member } from './member.ts';
import type { Publication } from './publication.ts';

/** What an explanation is made from. */
export interface ExplainSources {
  readonly cluster: string;
  readonly policy: string;
  readonly context: PickContext;
  readonly nowMs: number;
  readonly publication: Publication;
  readonly members: readonly Member[];
  /** A slot whose trial this request would be, or `NO_SLOT`. */
  readonly trialSlot: number;
  /** The part of its weight that a member gets while it warms up. */
  readonly warmthOf: (member: Member) => number;
  readonly admission: ClusterAdmission | undefined;
  /** Does the policy go by keys? */
  readonly keyed: boolean;
  /** Do keys decide on the side of a split? */
  readonly keyedSplit: boolean;
}

/** Enough for a human; the picker's own order is kept. */
const MAX_CANDIDATES = 100;

/** Says which endpoint a pick would take and how all candidates stand, without changing anything. */
export function explainPick(sources: ExplainSources): PickExplanation {
  const { cluster, policy, context, nowMs, publication, members, trialSlot, warmthOf } = sources;
  const bySlot = new Map(members.map((member) => [member.slot, member]));
  const exclude = new Set(context.exclude);
  const ranked: ExplainedCandidate[] = [];
  for (const candidate of publication.picker.explain(context, nowMs)) {
    const member = bySlot.get(candidate.slot);
    if (member === undefined) continue;
    bySlot.delete(candidate.slot);
    const why = whyRefused(sources, exclude, candidate.slot);
    ranked.push({
      id: member.endpoint.id,
      slot: candidate.slot,
      eligible: why === undefined,
      state: member.state,
      score: candidate.score,
      shareRatio: candidate.shareRatio,
      reason: why ?? candidate.reason + warmthText(warmthOf(member)),
    });
  }
  const route = publication.routing.path(context);
  const rest = [...bySlot.values()].map(ineligible);
  const best = ranked.find((candidate) => candidate.eligible);
  const chosenSlot = trialSlot === NO_SLOT ? (best?.slot ?? NO_SLOT) : trialSlot;
  return {
    cluster,
    policy,
    panic: route.panic,
    chosen: members.find((member) => member.slot === chosenSlot)?.endpoint,
    reason: reasonOf(sources, route.panic, best),
    path: [
      ...(sources.admission === undefined ? [] : [explainAdmission(sources.admission, nowMs)]),
      ...route.steps,
      ...explainAffinity(sources),
      {
        step: 'policy',
        choice: policy,
        shareRatio: best?.shareRatio ?? 0,
        reason: best?.reason ?? 'nobody',
      },
    ],
    candidates: [...ranked, ...rest].slice(0, MAX_CANDIDATES),
    candidateCount: ranked.length + rest.length,
  };
}

/** Why a request would not get in, or be sent, where the picker would send it; undefined when it would. */
function whyRefused(
  { admission }: ExplainSources,
  exclude: ReadonlySet<number>,
  slot: number,
): string | undefined {
  return exclude.has(slot) ? 'excluded by this request' : admission?.guards?.at(slot)?.whyNot;
}

function warmthText(factor: number): string {
  return factor === 1 ? '' : `; warming up, ${Math.round(factor * 100)} % of its weight`;
}

function ineligible(member: Member): ExplainedCandidate {
  const { slot, endpoint, state } = member;
  return {
    id: endpoint.id,
    slot,
    eligible: false,
    state,
    score: undefined,
    shareRatio: undefined,
    reason: whyNot(member),
  };
}

function whyNot({ flags, endpoint, reach, reason }: Member): string {
  if (!isEligible(flags)) return reason;
  if (endpoint.weight === 0) return 'weight 0';
  return reach === 0 ? 'outside of the aperture' : 'not in the subset';
}

function reasonOf(
  { policy, members, trialSlot }: ExplainSources,
  panic: boolean,
  best: ExplainedCandidate | undefined,
): string {
  if (trialSlot !== NO_SLOT) return 'the next request is the trial of an endpoint that was ejected';
  if (best === undefined)
    return members.length === 0 ? 'there are no endpoints' : 'no endpoint is eligible';
  return `${panic ? 'panic: health is ignored; ' : ''}${policy}: ${best.reason}`;
}
