/** What may happen in a simulation, besides a server finishing a request and a deadline, which have queues of their own. */
export const EventKind = {
  /** A timer of a cluster, or a step of a fault. Subject: the task. */
  task: 0,
  /** The next request arrives. */
  arrival: 1,
  /** Subject of the rest: the request, of which the tag is the serial. */
  deliver: 2,
  failFast: 3,
  receive: 4,
  tryTimeout: 5,
  /** An antagonist starts or stops. Subject: the server. */
  antagonist: 6,
  /** The pause before a retry is over. */
  retry: 7,
  /** An answer is late enough for a hedge. */
  hedge: 8,
} as const;

export type EventKind = (typeof EventKind)[keyof typeof EventKind];

const KIND_BITS = 4;

/** What happens to whom, in one number, as the event queue holds it. */
export function codeOf(kind: EventKind, subject: number): number {
  return (subject << KIND_BITS) | kind;
}

export function kindOf(code: number): EventKind {
  return (code & ((1 << KIND_BITS) - 1)) as EventKind;
}

export function subjectOf(code: number): number {
  return code >> KIND_BITS;
}
