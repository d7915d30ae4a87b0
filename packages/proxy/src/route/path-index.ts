/** The routes of one host, by path: the exact one, then templates, then regular expressions, then the longest prefix. */
import type { Route, RouteRequest } from '../engine/route.ts';
import { type Candidate, CandidateMap } from './candidates.ts';
import { SafeRegex } from './safe-regex.ts';
import { TemplateIndex } from './template-index.ts';

/** A kind, and the path, template or expression itself. */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'template' | 'regex';
  readonly path: string;
}

export class PathIndex {
  readonly #exact = new CandidateMap();
  readonly #prefixes = new CandidateMap();
  /** Lengths of the prefixes, longest first: one look-up per length. */
  #lengths: number[] = [];
  #templates: TemplateIndex | undefined = undefined;
  /** In the order of the configuration: which of two expressions says more cannot be told. */
  readonly #expressions: { readonly regex: SafeRegex; readonly candidates: CandidateMap }[] = [];

  add({ kind, path }: PathMatch, candidate: Candidate): void {
    switch (kind) {
      case 'exact':
        this.#exact.add(path, candidate);
        return;
      case 'template':
        this.#templates ??= new TemplateIndex();
        this.#templates.add(path, candidate);
        return;
      case 'regex':
        this.#addRegex(path, candidate);
        return;
      case 'prefix':
        this.#prefixes.add(path, candidate);
        if (!this.#lengths.includes(path.length))
          this.#lengths = [...this.#lengths, path.length].sort((a, b) => b - a);
    }
  }

  find(request: RouteRequest): Route | undefined {
    const { path } = request;
    return (
      this.#exact.find(path, request) ??
      this.#templates?.find(path, request) ??
      this.#findByRegex(path, request) ??
      this.#findByPrefix(path, request)
    );
  }

  #addRegex(source: string, candidate: Candidate): void {
    const known = this.#expressions.find(({ regex }) => regex.source === source);
    const expression = known ?? { regex: new SafeRegex(source), candidates: new CandidateMap() };
    if (known === undefined) this.#expressions.push(expression);
    expression.candidates.add(source, candidate);
  }

  #findByRegex(path: string, request: RouteRequest): Route | undefined {
    const expressions = this.#expressions;
    for (let at = 0; at < expressions.length; at++) {
      const { regex, candidates } = expressions[at] as (typeof expressions)[number];
      const route = regex.test(path) ? candidates.find(regex.source, request) : undefined;
      if (route !== undefined) return route;
    }
    return undefined;
  }

  #findByPrefix(path: string, request: RouteRequest): Route | undefined {
    const lengths = this.#lengths;
    for (let at = 0; at < lengths.length; at++) {
      const length = lengths[at] as number;
      if (length > path.length) continue;
      const prefix = length === path.length ? path : path.slice(0, length);
      const route = this.#prefixes.find(prefix, request);
      if (route !== undefined) return route;
    }
    return undefined;
  }
}
