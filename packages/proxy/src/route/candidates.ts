/** Rules for the same path: nearly always one, without conditions. */
import type { Route, RouteRequest } from '../engine/route.ts';
import type { Conditions } from './conditions.ts';

/** A route, and what a request has to be like for it. */
export interface Candidate {
  /** Undefined for nothing. */
  readonly conditions?: Conditions | undefined;
  readonly route: Route;
}

/** Tried in the order in which they were added. */
export class Candidates {
  readonly #list: Candidate[] = [];
  #isOpen = true;

  add({ conditions, route }: Candidate): void {
    // Behind one that always holds no other one is ever reached.
    if (!this.#isOpen) return;
    this.#list.push({ conditions, route });
    this.#isOpen = conditions !== undefined;
  }

  find(request: RouteRequest): Route | undefined {
    const list = this.#list;
    for (let at = 0; at < list.length; at++) {
      const { conditions, route } = list[at] as Candidate;
      if (conditions === undefined || conditions.hold(request)) return route;
    }
    return undefined;
  }
}

/** The candidates of each text. */
export class CandidateMap {
  readonly #byText = new Map<string, Candidates>();

  add(text: string, candidate: Candidate): void {
    const known = this.#byText.get(text) ?? new Candidates();
    this.#byText.set(text, known);
    known.add(candidate);
  }

  find(text: string, request: RouteRequest): Route | undefined {
    // A look-up hashes the whole text.
    return this.#byText.size === 0 ? undefined : this.#byText.get(text)?.find(request);
  }
}
