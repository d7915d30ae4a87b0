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

/**
 * The life of a hash policy: a table is built when keys or weights change and kept when only something else did (health
 * came and went, metadata, slots). It is built beside the old one, which its picker goes on using until the cluster has
 * taken the new picker: no pick waits for a table or sees half of one.
 */
export class KeyedBalancer<Table> implements Balancer {
  readonly #parts: KeyedParts<Table>;
  #members: KeyedMembers | undefined;
  #table: Table | undefined;

  constructor(parts: KeyedParts<Table>) {
    this.#parts = parts;
  }

  /** What the newest picker looks keys up in; undefined before the first members. For inspection. */
  get table(): Table | undefined {
    return this.#table;
  }

  update(members: Members): Picker {
    const { build, createPicker, keyOf } = this.#parts;
    const keyed = keyedMembersOf(members, keyOf);
    const table =
      this.#table !== undefined && this.#members !== undefined && spreadAlike(this.#members, keyed)
        ? this.#table
        : build(keyed, this.#table);
    this.#table = table;
    this.#members = keyed;
    return createPicker(table, keyed);
  }
}
