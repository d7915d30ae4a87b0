/**
 * Where a slot stands, and what moves it on. "Failure" and "success" are outcomes of the slot; `cancelled` moves
 * nothing but a trial, and `overloaded` is a success here: the endpoint answers, and the policy knows how to spare it.
 *
 * | phase | event | next |
 * |---|---|---|
 * | quiet | anything but a success | watched |
 * | watched | success | quiet |
 * | quiet, watched | a rule speaks | ejected |
 * | ejected | time over, returnBy 'trial' | waiting |
 * | ejected | time over, returnBy 'time' | probation |
 * | waiting | taken as a trial | on trial |
 * | on trial | cancelled | waiting, at the end of the queue |
 * | waiting, on trial | success | quiet |
 * | waiting, on trial | failure | ejected, for longer |
 * | waiting, on trial | no outcome for `trialLimitMs` | probation |
 * | probation | success | quiet |
 * | probation | failure | ejected, for longer |
 * | ejected, waiting, on trial | a failed active check passes again | quiet |
 *
 * Every ejected slot gets back some day, whatever requests do or leave undone.
 */
export const Phase = {
  /** Not a member: outcomes are ignored. */
  absent: 0,
  /** In rotation, and the last outcome was a success: another one changes nothing. */
  quiet: 1,
  /** In rotation, with something in the rules' books that a success would strike out. */
  watched: 2,
  /** In rotation again, untested: its first outcome decides. */
  probation: 3,
  /** Out; outcomes are of requests sent before, or in panic, and say nothing new. */
  ejected: 4,
  /** Out; the time is over and the next outcome decides, be it of the trial or of a request in panic. */
  waiting: 5,
  /** As waiting, and a request is on its way as the trial. */
  onTrial: 6,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Does a slot in this phase get requests like any other? */
export function isInRotation(phase: Phase | undefined): boolean {
  return phase !== undefined && phase >= Phase.quiet && phase <= Phase.probation;
}
