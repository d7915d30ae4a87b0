/** What the two loaders share: what is asked of them, and what they hand back. */
import { BpfError } from '../error/bpf-error.ts';
import type { ObjectSpec } from '../spec/spec.ts';

export interface LoadPlan {
  /** Sizes of maps that differ from the compiled ones, by C name. */
  readonly maxEntries: ReadonlyMap<string, number>;
  /** Contents of the maps of global variables that differ from the compiled ones, by C name. */
  readonly initial: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Descriptors of maps that exist already, by C name; the loader owns them. */
  readonly existing: ReadonlyMap<string, number>;
  /** Memory whose address was handed out. */
  readonly keepAlive: Uint8Array[];
}

/** Open descriptors by C name; the caller owns them all. */
export interface Descriptors {
  readonly maps: ReadonlyMap<string, number>;
  readonly programs: ReadonlyMap<string, number>;
}

/** The layout of generated modules that this version understands. */
export const SPEC_FORMAT: number = 1;

export function assertFormat(spec: ObjectSpec): void {
  const format: number = spec.format;
  if (format === SPEC_FORMAT) return;
  throw new BpfError(
    'EVENKEEL_BPF_FORMAT',
    `the module of object "${spec.name}" has format ${format}, this version reads ${SPEC_FORMAT}: generate it again (evenkeel-bpf build)`,
  );
}
