/**
 * Subsets by metadata: a request names labels (`subset: { version: 'v2' }`), and only endpoints that carry all of them
 * may serve it. Which labels may be named is configured as selectors, so that the groups can be made before the first
 * request asks for them, and a request cannot make the cluster build more.
 */
import type { Endpoint } from '../model/endpoint.ts';

/** Labels and their values. */
export type Labels = Readonly<Record<string, string>>;

/**
 * What becomes of a request for a subset that has nobody to offer: `none`: it fails; `any`: anyone serves it; `default`:
 * the default subset does.
 */
export type SubsetFallback = 'none' | 'any' | 'default';

/** A set of labels that requests may name together. */
export interface SubsetSelector {
  /** Sorted, each once. */
  readonly keys: readonly string[];
  readonly fallback: SubsetFallback;
}

/** Most subsets of a cluster. Each holds a picker; a label that differs on every endpoint would make thousands. */
export const MAX_SUBSETS = 256;

/** Does an endpoint carry all these labels? */
export function hasLabels({ metadata }: Endpoint, labels: Labels): boolean {
  for (const key in labels) {
    if (Object.hasOwn(labels, key) && metadata[key] !== labels[key]) return false;
  }
  return true;
}

/** The name of a subset: `stage=prod,version=v2`. Equal labels have equal names, in whatever order they are written. */
export function subsetName(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${escaped(key)}=${escaped(labels[key] ?? '')}`)
    .join(',');
}

/** A subset with those that are in it. */
export interface Subset<Member> {
  readonly labels: Labels;
  /** In the order given. */
  readonly members: readonly Member[];
}

/** The subsets that members form under selectors, each once. */
export interface SubsetList<Member> {
  readonly subsets: readonly Subset<Member>[];
  /** How many there are beyond {@link MAX_SUBSETS}. They are treated as having nobody. */
  readonly leftOutCount: number;
}

/** All combinations of values that occur. Of too many the first by name stay, so that clients agree. */
export function subsetsOf<Member extends { readonly endpoint: Endpoint }>(
  members: readonly Member[],
  selectors: readonly SubsetSelector[],
): SubsetList<Member> {
  const byName = new Map<string, Subset<Member>>();
  for (const { keys } of selectors) {
    for (const group of groupByValues(members, keys)) {
      const metadata = group[0]?.endpoint.metadata ?? {};
      const labels = Object.fromEntries(keys.map((key) => [key, metadata[key] ?? '']));
      byName.set(subsetName(labels), { labels, members: group });
    }
  }
  const names = [...byName.keys()].sort();
  return {
    subsets: names.slice(0, MAX_SUBSETS).map((name) => byName.get(name) as Subset<Member>),
    leftOutCount: Math.max(0, names.length - MAX_SUBSETS),
  };
}

/** Members that carry all the keys, those with equal values together. */
function groupByValues<Member extends { readonly endpoint: Endpoint }>(
  members: readonly Member[],
  keys: readonly string[],
): Iterable<Member[]> {
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const { metadata } = member.endpoint;
    if (!hasAll(metadata, keys)) continue;
    const values = JSON.stringify(keys.map((key) => metadata[key]));
    const group = groups.get(values);
    if (group === undefined) groups.set(values, [member]);
    else group.push(member);
  }
  return groups.values();
}

/** `,` and `=` separate: a label that contains them must not look like two. */
function escaped(text: string): string {
  return text.replace(/[\\,=]/g, '\\$&');
}

/** Values lead to values, the last of a selector's to what is looked for. */
type Tree<T> = Map<string, Tree<T> | { readonly found: T }>;

interface Branch<T> {
  readonly selector: SubsetSelector;
  readonly tree: Tree<T>;
}

/**
 * Finds what belongs to the labels of a request, without allocation: one look at the selectors, then one map per label.
 * All labels of the request must be those of the selector, no more and no fewer.
 */
export class SubsetIndex<T> {
  readonly #branches: readonly Branch<T>[];

  constructor(selectors: readonly SubsetSelector[], found: readonly (readonly [Labels, T])[]) {
    this.#branches = selectors.map((selector) => {
      const tree: Tree<T> = new Map();
      for (const [labels, value] of found) {
        const { keys } = selector;
        if (Object.keys(labels).length !== keys.length) continue;
        if (keys.every((key) => Object.hasOwn(labels, key))) add(tree, keys, { labels, value });
      }
      return { selector, tree };
    });
  }

  /** What was entered for exactly these labels; undefined when nothing was. */
  find(labels: Labels): T | undefined {
    const branch = this.#branchOf(labels);
    if (branch === undefined) return undefined;
    let tree = branch.tree;
    for (const key of branch.selector.keys) {
      const next = tree.get(labels[key] as string);
      if (next === undefined) return undefined;
      if (!(next instanceof Map)) return next.found;
      tree = next;
    }
    return undefined;
  }

  /** What the selector of these labels says about a subset with nobody; undefined when there is no such selector. */
  fallbackOf(labels: Labels): SubsetFallback | undefined {
    return this.#branchOf(labels)?.selector.fallback;
  }

  #branchOf(labels: Labels): Branch<T> | undefined {
    let count = 0;
    for (const key in labels) if (Object.hasOwn(labels, key)) count++;
    for (const branch of this.#branches) {
      const { keys } = branch.selector;
      if (keys.length === count && hasAll(labels, keys)) return branch;
    }
    return undefined;
  }
}

function hasAll(labels: Labels, keys: readonly string[]): boolean {
  for (const key of keys) if (!Object.hasOwn(labels, key)) return false;
  return true;
}

function add<T>(
  tree: Tree<T>,
  keys: readonly string[],
  { labels, value }: { readonly labels: Labels; readonly value: T },
): void {
  let at = tree;
  keys.forEach((key, depth) => {
    const text = labels[key] as string;
    if (depth === keys.length - 1) {
      at.set(text, { found: value });
      return;
    }
    const known = at.get(text);
    const next: Tree<T> = known instanceof Map ? known : new Map();
    at.set(text, next);
    at = next;
  });
}
