/**
 * Changes to the machine, written down before they are made, so that exactly these can be undone: at the end, and after
 * a crash by whoever comes next.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type IpPrefix, parsePrefix } from '../forwarder/prefix.ts';
import {
  addLocal,
  hasLocal,
  networkNamespace,
  readSetting,
  removeLocal,
  startOf,
  writeSetting,
} from './host.ts';
import { RealError } from './real-error.ts';

export type Change =
  | { readonly kind: 'local'; readonly prefix: string }
  | {
      readonly kind: 'setting';
      readonly name: string;
      readonly before: string;
      readonly after: string;
    };

interface Stored {
  readonly version: 1;
  readonly pid: number;
  readonly start: string;
  readonly changes: readonly Change[];
}

export interface RecordPlace {
  readonly folder: string;
  readonly interface: string;
}

/** One file for an interface of a network namespace. */
export function recordPath(place: RecordPlace): string {
  return join(place.folder, `real-${networkNamespace()}-${place.interface}.json`);
}

/** The changes of one set-up. */
export class ChangeRecord {
  readonly #path: string;
  readonly #changes: Change[] = [];

  /** @throws RealError when a living process has set up this interface */
  static open(place: RecordPlace): ChangeRecord {
    const path = recordPath(place);
    const former = readStored(path);
    if (former !== undefined && startOf(former.pid) === former.start) {
      throw new RealError(`process ${former.pid} has set up ${place.interface} as a real already`);
    }
    // Left behind by a crash: as if it had ended properly.
    if (former !== undefined) undoAll(former.changes);
    const record = new ChangeRecord(path);
    record.#write();
    return record;
  }

  /** Use {@link ChangeRecord.open}. */
  constructor(path: string) {
    this.#path = path;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Makes a VIP local, unless it is. */
  addLocal(prefix: IpPrefix): void {
    if (hasLocal(prefix)) return;
    this.#note({ kind: 'local', prefix: prefix.text });
    addLocal(prefix);
  }

  /** Changes a setting, unless it has that value. */
  set(name: string, after: string): void {
    const before = readSetting(name);
    if (before === after) return;
    this.#note({ kind: 'setting', name, before, after });
    writeSetting(name, after);
  }

  /** Undoes all changes, the last one first. Idempotent. @returns what could not be undone, and why */
  undo(): readonly string[] {
    const left = undoAll(this.#changes.splice(0));
    rmSync(this.#path, { force: true });
    return left;
  }

  #note(change: Change): void {
    this.#changes.push(change);
    this.#write();
  }

  #write(): void {
    const start = startOf(process.pid) ?? '';
    const stored: Stored = { version: 1, pid: process.pid, start, changes: this.#changes };
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o755 });
    const fresh = `${this.#path}.${process.pid}`;
    writeFileSync(fresh, `${JSON.stringify(stored, undefined, 2)}\n`, { flush: true });
    renameSync(fresh, this.#path);
  }
}

/**
 * Undoes what a process left behind that did not get to it.
 *
 * @returns undefined when there is no record; else what could not be undone
 * @throws RealError when that process lives: it undoes its changes itself when it ends
 */
export function undoLeftOver(place: RecordPlace): readonly string[] | undefined {
  const path = recordPath(place);
  const stored = readStored(path);
  if (stored === undefined) return undefined;
  if (startOf(stored.pid) === stored.start) {
    throw new RealError(`process ${stored.pid} is running: end it, and it undoes its changes`);
  }
  const left = undoAll(stored.changes);
  rmSync(path, { force: true });
  return left;
}

function undoAll(changes: readonly Change[]): readonly string[] {
  const left: string[] = [];
  for (const change of changes.toReversed()) {
    try {
      undoOne(change);
    } catch (error) {
      left.push(error instanceof Error ? error.message : String(error));
    }
  }
  return left;
}

function undoOne(change: Change): void {
  switch (change.kind) {
    case 'local': {
      const prefix = parsePrefix(change.prefix, 'prefix');
      if (hasLocal(prefix)) removeLocal(prefix);
      return;
    }
    case 'setting':
      // Somebody else's value is somebody else's decision.
      if (readSetting(change.name) === change.after) writeSetting(change.name, change.before);
      return;
    default:
      throw new RealError(`unknown change ${JSON.stringify(change satisfies never)}`);
  }
}

function readStored(path: string): Stored | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const isStored = (value: unknown): value is Stored =>
    typeof value === 'object' && value !== null && 'version' in value && value.version === 1;
  try {
    const value: unknown = JSON.parse(text);
    if (isStored(value)) return value;
  } catch {
    // Told below: a file that cannot be read must not be taken for none.
  }
  throw new RealError(`${path} is not a record of this version: look at it and remove it`);
}
