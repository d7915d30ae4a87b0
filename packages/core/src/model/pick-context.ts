/** What a pick may depend on. All fields are optional; an empty context is valid for every policy. */
export interface PickContext {
  /** Affinity key: hash policies send equal keys to the same endpoint. Without one they pick at random. */
  readonly hashKey?: string | undefined;
  /**
   * Only endpoints whose metadata carries all of these. The labels must be those of a selector of the cluster
   * (`topology.subsets`); without selectors it is ignored.
   */
  readonly subset?: Readonly<Record<string, string>> | undefined;
  /** Slots not to pick, usually those that failed an earlier attempt. Short: it is scanned. */
  readonly exclude?: readonly number[] | undefined;
  /**
   * May this request be the single trial of an endpoint that comes back from ejection? Say false for requests that
   * cannot be retried. Default true.
   */
  readonly probe?: boolean | undefined;
}

/** The context of a pick that asks for nothing. */
export const ANY: PickContext = Object.freeze({
  hashKey: undefined,
  subset: undefined,
  exclude: undefined,
  probe: undefined,
});

/** What `pick` returns when no endpoint may be taken. Slots are never negative. */
export const NO_SLOT = -1;

/** Is a slot excluded by the context? */
export function isExcluded(context: PickContext, slot: number): boolean {
  const { exclude } = context;
  return exclude !== undefined && exclude.includes(slot);
}
