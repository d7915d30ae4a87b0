import { closeSync } from 'node:fs';
import type { Field } from '../codec/composite.ts';
import { argumentError, formatError, isBpfError } from '../error/bpf-error.ts';
import { missingCapabilities } from '../kernel/capabilities.ts';
import { duplicate } from '../kernel/descriptor.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { openKernel } from '../kernel/koffi/koffi-kernel.ts';
import { pinnedBytes } from '../kernel/memory.ts';
import type { ProgramType } from '../kernel/uapi.table.ts';
import { assertMatches, mapInfo } from '../map/map-handle.ts';
import { Program } from '../program/program.ts';
import type {
  Globals,
  GlobalsSpec,
  MapSpecs,
  ObjectSpec,
  ProgramSpec,
  ProgramSpecs,
} from '../spec/spec.ts';
import { loadDirect } from './direct-loader.ts';
import { GlobalVariables } from './globals.ts';
import { loadLight } from './light-loader.ts';
import { assertFormat, type Descriptors, type LoadPlan } from './load-plan.ts';
import { type AnyMap, type MapOf, openMap } from './open-map.ts';

/** What the variables of a section look like; an object without members when there is no such section. */
export type VariablesOf<S> = S extends GlobalsSpec<infer T> ? T : Record<never, never>;

export interface LoadOptions<
  Maps extends MapSpecs = MapSpecs,
  Variables extends Globals = Globals,
> {
  /** Values of `const volatile` variables: the verifier takes them for constants. The others keep their C value. */
  readonly constants?: Partial<VariablesOf<Variables['rodata']>>;
  /** Sizes of maps, where they are to differ from those in C. */
  readonly maxEntries?: { readonly [K in keyof Maps]?: number };
  /**
   * Maps to use instead of new ones, for example adopted from a predecessor. They stay the caller's: the object has
   * descriptors of its own.
   */
  readonly maps?: { readonly [K in keyof Maps]?: { readonly fd: number } };
  /**
   * `light`: the light skeleton. `direct`: map by map and program by program. Default: light, unless existing `maps`
   * are passed or the process lacks CAP_PERFMON.
   */
  readonly loader?: 'light' | 'direct';
  /** Default: the kernel this process runs on. */
  readonly kernel?: Kernel;
}

/** An object in the kernel: its maps, programs and variables. */
export interface LoadedObject<
  Maps extends MapSpecs = MapSpecs,
  Programs extends ProgramSpecs = ProgramSpecs,
  Variables extends Globals = Globals,
> {
  readonly maps: { readonly [K in keyof Maps]: MapOf<Maps[K]> };
  readonly programs: {
    readonly [K in keyof Programs]: Programs[K] extends ProgramSpec<infer T> ? Program<T> : never;
  };
  readonly globals: {
    readonly [K in keyof Variables]: Variables[K] extends GlobalsSpec<infer T>
      ? GlobalVariables<T>
      : never;
  };
  /**
   * Closes all its descriptors. What links, pins or other processes hold goes on; everything else ends. Idempotent.
   */
  close(): void;
}

/**
 * Loads the maps and programs of a generated module into the kernel. Nothing is attached yet.
 *
 * All or nothing: on an error nothing is left behind.
 *
 * @throws BpfError `EVENKEEL_BPF_PERMISSION`, `EVENKEEL_BPF_UNSUPPORTED`, `EVENKEEL_BPF_VERIFIER` with the verifier's
 *   words, or `EVENKEEL_BPF_ARGUMENT` for options that do not fit the object
 */
export function loadObject<M extends MapSpecs, P extends ProgramSpecs, G extends Globals>(
  spec: ObjectSpec<M, P, G>,
  options: LoadOptions<M, G> = {},
): LoadedObject<M, P, G> {
  assertFormat(spec);
  const kernel = options.kernel ?? openKernel();
  const plan = planFor(kernel, spec, options);
  const descriptors = descriptorsOf(kernel, spec, { plan, options });
  try {
    return wrap(kernel, spec, { descriptors, plan });
  } catch (error) {
    closeAll(descriptors);
    throw error;
  }
}

interface Request {
  readonly plan: LoadPlan;
  readonly options: LoadOptions;
}

function descriptorsOf(kernel: Kernel, spec: ObjectSpec, { plan, options }: Request): Descriptors {
  const isDirect = plan.existing.size > 0 || missingCapabilities(['PERFMON']).length > 0;
  const loader = options.loader ?? (isDirect ? 'direct' : 'light');
  if (loader === 'direct') return loadDirect(kernel, spec, plan);
  try {
    return loadLight(kernel, spec, plan);
  } catch (error) {
    // The loader program says only that something was refused. Loaded one by one, the culprit tells its name.
    if (isBpfError(error) && error.errno !== undefined)
      explainByLoadingOneByOne(kernel, spec, plan);
    throw error;
  }
}

function explainByLoadingOneByOne(kernel: Kernel, spec: ObjectSpec, plan: LoadPlan): void {
  closeAll(loadDirect(kernel, spec, plan));
}

function closeAll({ maps, programs }: Descriptors): void {
  for (const fd of [...maps.values(), ...programs.values()]) if (fd > 0) closeSync(fd);
}

function planFor(kernel: Kernel, spec: ObjectSpec, options: LoadOptions): LoadPlan {
  const maxEntries = new Map<string, number>();
  const mapNamed = (option: string, key: string): ObjectSpec['maps'][string] => {
    const map = Object.hasOwn(spec.maps, key) ? spec.maps[key] : undefined;
    if (map !== undefined) return map;
    throw argumentError(
      `${option}: object "${spec.name}" has no map "${key}"; it has ${Object.keys(spec.maps).join(', ')}`,
    );
  };
  for (const [key, entries] of Object.entries(options.maxEntries ?? {})) {
    if (entries === undefined) continue;
    if (!(Number.isInteger(entries) && entries >= 1 && entries <= 0xffff_ffff)) {
      throw argumentError(`maxEntries.${key}: expected an integer from 1, got ${entries}`);
    }
    maxEntries.set(mapNamed('maxEntries', key).name, entries);
  }
  const initial = initialValues(spec, options);
  const hasExisting = Object.values(options.maps ?? {}).some((map) => map !== undefined);
  if (hasExisting && options.loader === 'light') {
    throw argumentError(
      'a light skeleton makes all its maps itself: existing maps need loader "direct"',
    );
  }
  // Last, because it opens descriptors: whatever else is wrong has been found by then.
  const existing = existingMaps(kernel, options, (key) => {
    const map = mapNamed('maps', key);
    return { ...map, maxEntries: maxEntries.get(map.name) ?? map.maxEntries };
  });
  return { maxEntries, initial, existing, keepAlive: [] };
}

function existingMaps(
  kernel: Kernel,
  options: LoadOptions,
  specOf: (key: string) => MapSpecs[string],
): ReadonlyMap<string, number> {
  const existing = new Map<string, number>();
  for (const [key, map] of Object.entries(options.maps ?? {})) {
    if (map === undefined) continue;
    const wanted = specOf(key);
    const info = mapInfo(kernel, map.fd);
    assertMatches(wanted, info);
    existing.set(wanted.name, map.fd);
  }
  // Only when all fit are descriptors made; from here on the loader owns them.
  for (const [name, fd] of existing) existing.set(name, duplicate(kernel, fd));
  return existing;
}

function initialValues(
  spec: ObjectSpec,
  options: LoadOptions,
): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const constants = Object.entries(options.constants ?? {}).filter(
    ([, value]) => value !== undefined,
  );
  if (constants.length === 0) return new Map();
  const { rodata } = spec.globals;
  const known = rodata === undefined ? [] : Object.keys(rodata.value.fields);
  for (const [name] of constants) {
    if (!known.includes(name)) {
      throw argumentError(
        `constants: object "${spec.name}" has no constant "${name}"; it has ${known.join(', ') || 'none'}`,
      );
    }
  }
  if (rodata === undefined) return new Map();
  // On top of the compiled bytes: string literals lie in the same section, between the variables.
  const bytes = pinnedBytes(rodata.value.bytes);
  bytes.set(Buffer.from(rodata.initial ?? '', 'base64'));
  const view = new DataView(bytes.buffer);
  const fields = rodata.value.fields as Readonly<Record<string, Field<unknown>>>;
  for (const [name, value] of constants) {
    const [offset, codec] = fields[name] as Field<unknown>;
    codec.encode(value, view, offset);
  }
  return new Map([[rodata.name, bytes]]);
}

interface Loaded {
  readonly descriptors: Descriptors;
  readonly plan: LoadPlan;
}

function wrap<M extends MapSpecs, P extends ProgramSpecs, G extends Globals>(
  kernel: Kernel,
  spec: ObjectSpec<M, P, G>,
  { descriptors, plan }: Loaded,
): LoadedObject<M, P, G> {
  const maps = mapValues(spec.maps, (map) =>
    openMap(
      kernel,
      { ...map, maxEntries: plan.maxEntries.get(map.name) ?? map.maxEntries },
      fdOf(descriptors.maps, map.name),
    ),
  );
  const programs = mapValues(
    spec.programs,
    (program) => new Program(kernel, program, fdOf(descriptors.programs, program.name)),
  );
  const globals = mapValues(
    spec.globals as unknown as Readonly<Record<string, GlobalsSpec>>,
    (section, kind) => {
      const fd = fdOf(descriptors.maps, section.name);
      return new GlobalVariables(kernel, section, { fd, isFrozen: kind === 'rodata' });
    },
  );
  const parts: readonly { close(): void }[] = [
    ...Object.values<AnyMap>(maps as Record<string, AnyMap>),
    ...Object.values<Program<ProgramType>>(programs),
    ...Object.values(globals),
  ];
  const close = (): void => parts.forEach((part) => part.close());
  return { maps, programs, globals, close } as unknown as LoadedObject<M, P, G>;
}

function fdOf(descriptors: ReadonlyMap<string, number>, name: string): number {
  const fd = descriptors.get(name);
  if (fd !== undefined && fd > 0) return fd;
  throw formatError(`the loader handed out no descriptor of "${name}": generate the module again`);
}

function mapValues<T, R>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => R,
): Record<string, R> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, change(value, key)]),
  );
}
