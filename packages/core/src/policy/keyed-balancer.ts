import type { Members } from '../model/members.ts';
import { type KeyedMembers, type KeyOf, keyedMembersOf, spreadAlike } from './keyed-members.ts';
import type { Balancer, Picker } from './policy.ts';

/** What makes a hash policy out of a {@link KeyedBalancer}. */
export interface KeyedParts<Table> {
  /**
   * Builds what keys are looked up in: a pure function of the keys and weights. It may take over parts of the earlier
   * table, which goes on serving and must not be changed.
   */
  readonly build: (members: KeyedMembers, earlier: Table | undefined) => Table;
  readonly createPicker: (table: Table, members: KeyedMembers) => Picker;
  /** Default: `endpoint.hashKey`. */
  readonly keyOf?: KeyOf;
}

/** What a picker was made of, so that the next one of its group may use it again. */
interface Made<Table> {
  readonly members: KeyedMembers;
  readonly table: Table;
}

/**
 * The life of a hash policy: a table is built when keys or weights change and kept when only something else did (health
 * came and went, metadata, slots). It is built beside the old one, which its picker goes on using until the cluster has
 * taken the new picker: no pick waits for a table or sees half of one.
 */
export class KeyedBalancer<Table> implements Balancer {
  readonly #parts: KeyedParts<Table>;
  /** By picker: with the picker of a group that ended its table goes, too. */
  readonly #made = new WeakMap<Picker, Made<Table>>();

  constructor(parts: KeyedParts<Table>) {
    this.#parts = parts;
  }

  /** What a picker of this balancer looks keys up in. For inspection. */
  tableOf(picker: Picker): Table | undefined {
    return this.#made.get(picker)?.table;
  }

  update(members: Members, earlier?: Picker): Picker {
    const { build, createPicker, keyOf } = this.#parts;
    const keyed = keyedMembersOf(members, keyOf);
    const before = earlier && this.#made.get(earlier);
    const table =
      before !== undefined && spreadAlike(before.members, keyed)
        ? before.table
        : build(keyed, before?.table);
    const picker = createPicker(table, keyed);
    this.#made.set(picker, { members: keyed, table });
    return picker;
  }
}
