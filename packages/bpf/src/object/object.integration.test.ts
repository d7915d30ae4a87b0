/** Loading by both loaders in the real kernel: programs run, maps work, errors speak. */
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { createMap, isBpfError, loadObject, sumOf, u32 } from '../index.ts';
import type { BpfError, LoadedObject } from '../index.ts';
import { runNode, tryRun } from './test-support/lab.ts';
import { basic, Verdict } from './test-support/generated/basic.ts';
import { refused } from './test-support/generated/refused.ts';

const { path } = requireComponent('bpf');
const frame = (length = 64): Uint8Array => new Uint8Array(length).fill(1);

function errorOf(action: () => unknown): BpfError {
  try {
    action();
  } catch (error) {
    if (isBpfError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe.skipIf(path === undefined).each(['light', 'direct'] as const)(
  'the %s loader',
  (loader) => {
    const loaded: { close(): void }[] = [];
    const load = (
      options = {},
    ): LoadedObject<typeof basic.maps, typeof basic.programs, typeof basic.globals> => {
      const object = loadObject(basic, { loader, ...options });
      loaded.push(object);
      return object as never;
    };
    afterEach(() => loaded.splice(0).forEach((object) => object.close()));

    it('loads programs that run and count', () => {
      const { programs, maps } = load();
      expect(programs.countPackets.testRun({ data: frame(100), repeat: 5 })).toMatchObject({
        verdict: Verdict.VERDICT_PASS,
        data: frame(100),
      });
      expect(sumOf(maps.stats, 0)).toBe(5n);
      expect(sumOf(maps.stats, 1)).toBe(500n);
      expect(programs.dropAll.testRun({ data: frame() }).verdict).toBe(Verdict.VERDICT_DROP);
    });

    it('shares global variables with running programs', () => {
      const { programs, globals } = load();
      expect(globals.data.read()).toEqual({ verdict: Verdict.VERDICT_PASS });
      globals.data.set('verdict', 1);
      expect(programs.countPackets.testRun({ data: frame() }).verdict).toBe(1);
      expect(globals.bss.read()).toEqual({ seen: 0n, seenByConnect: 0n, compared: 0n, torn: 0n });
      globals.bss.set('seenByConnect', 77n);
      expect(globals.bss.get('seenByConnect')).toBe(77n);
      expect(globals.bss.get('seen')).toBe(0n);
    });

    it('sets constants before loading, and leaves the others as compiled', () => {
      const { globals } = load({ constants: { emitEvents: 0 } });
      expect(globals.rodata.read()).toEqual({
        emitEvents: 0,
        signature: new TextEncoder().encode('evenkeel'),
      });
      expect(() => globals.rodata.set('emitEvents', 1)).toThrow('.rodata is frozen');
    });

    it('makes maps of another size when asked', () => {
      const { maps } = load({ maxEntries: { recent: 9_000, slots: 3 } });
      expect(maps.recent.info().maxEntries).toBe(9_000);
      expect(() => maps.slots.update(3, 1)).toThrow('beyond its 3 entries');
    });

    it('leaves no descriptor open, loaded or refused', () => {
      load().close();
      const before = openFiles();
      for (let turn = 0; turn < 5; turn += 1) {
        load().close();
        expect(() => loadObject(refused, { loader })).toThrow('reads_unchecked');
      }
      expect(openFiles()).toBe(before);
    });

    it('names the program that the verifier refuses, and shows why', () => {
      const error = errorOf(() => loadObject(refused, { loader }));
      expect(error).toMatchObject({ code: 'EVENKEEL_BPF_VERIFIER', errnoName: 'EACCES' });
      expect(error.message).toContain(
        'loading program "reads_unchecked" (xdp) of object "refused"',
      );
      expect(error.message).toContain('invalid access to packet');
      expect(error.log).toContain('processed');
    });

    it('has a name and an id for everything', () => {
      const { programs, maps } = load();
      expect(programs.countPackets.info()).toMatchObject({ type: 'xdp', name: 'count_packets' });
      expect(programs.connect4.info()).toMatchObject({ type: 'cgroup-sock-addr' });
      expect(maps.backends.info()).toMatchObject({
        type: 'hash',
        name: 'backends',
        maxEntries: 64,
      });
      expect(maps.events.info()).toMatchObject({ type: 'ringbuf', keyBytes: 0 });
    });

    it('says that a closed object is closed', () => {
      const { programs, maps, globals, close } = load();
      close();
      close();
      for (const use of [
        () => maps.recent.lookup(1),
        () => [...maps.recent.entries()],
        () => programs.dropAll.testRun({ data: frame() }),
        () => globals.bss.get('seen'),
      ]) {
        expect(errorOf(use).code).toBe('EVENKEEL_BPF_CLOSED');
      }
    });
  },
);

describe.skipIf(path === undefined)('loading', () => {
  it('gives the same program by both loaders', () => {
    const light = loadObject(basic, { loader: 'light' });
    const direct = loadObject(basic, { loader: 'direct' });
    for (const name of Object.keys(basic.programs) as (keyof typeof basic.programs)[]) {
      expect(direct.programs[name].info().tag).toBe(light.programs[name].info().tag);
    }
    light.close();
    direct.close();
  });

  it('uses maps that exist, and checks them', () => {
    const first = loadObject(basic);
    first.programs.countPackets.testRun({ data: frame(), repeat: 3 });
    const second = loadObject(basic, { maps: { stats: first.maps.stats } });
    second.programs.countPackets.testRun({ data: frame(), repeat: 4 });
    first.close();
    expect(sumOf(second.maps.stats, 0)).toBe(7n);
    using other = closing(
      createMap({ name: 'other', type: 'hash', key: u32, value: u32, maxEntries: 4 }),
    );
    const before = openFiles();
    const { stats } = second.maps;
    const light = errorOf(() => loadObject(basic, { maps: { stats }, loader: 'light' }));
    expect(light.message).toContain('existing maps need loader "direct"');
    const error = errorOf(() => loadObject(basic, { maps: { stats: other.map } }));
    expect(error.code).toBe('EVENKEEL_BPF_ARGUMENT');
    expect(error.message).toContain('type hash instead of percpu-array, value size 4 instead of 8');
    expect(openFiles()).toBe(before);
    second.close();
  });

  it.each([
    {
      what: 'constants',
      options: { constants: { emit: 1 } },
      says: 'has no constant "emit"; it has emitEvents, signature',
    },
    { what: 'maps', options: { maxEntries: { nobody: 1 } }, says: 'has no map "nobody"' },
    {
      what: 'sizes',
      options: { maxEntries: { stats: 0 } },
      says: 'maxEntries.stats: expected an integer from 1',
    },
    {
      what: 'values',
      options: { constants: { emitEvents: -1 } },
      says: 'u32: expected an integer from 0 to 4294967295, got -1',
    },
  ])('refuses $what that do not fit the object', ({ options, says }) => {
    const error = errorOf(() => loadObject(basic, options as never));
    expect(error.code).toBe('EVENKEEL_BPF_ARGUMENT');
    expect(error.message).toContain(says);
  });

  it('refuses a module of another tool version and a broken one', () => {
    expect(errorOf(() => loadObject({ ...basic, format: 2 as 1 })).message).toContain(
      'generate it again',
    );
    const broken = { ...basic, loader: { ...basic.loader, data: '!!!!' } };
    expect(errorOf(() => loadObject(broken, { loader: 'light' })).code).toBe('EVENKEEL_BPF_FORMAT');
  });
});

describe.skipIf(path === undefined)('capabilities', () => {
  const script = `${import.meta.dirname}/test-support/load-and-say.ts`;
  const without = (drop: string, object: string): string =>
    tryRun(
      'setpriv',
      ...[`--bounding-set=${drop}`, `--inh-caps=${drop}`, process.execPath],
      ...['--conditions=@evenkeel/source', script, object],
    ).stdout.trim();

  it('loads as root', () => {
    expect(runNode(script).stdout.trim()).toBe('loaded light 1');
  });

  it('loads without CAP_PERFMON, by the direct loader', () => {
    expect(without('-sys_admin,-perfmon', 'plain')).toBe('loaded direct 1');
  });

  it('says that the verifier is stricter without CAP_PERFMON', () => {
    const said = without('-sys_admin,-perfmon', 'basic');
    expect(said).toContain('EVENKEEL_BPF_VERIFIER');
    expect(said).toContain('lacks CAP_PERFMON');
    expect(said).toContain('R2 pointer -= pointer prohibited');
  });

  it('names the capabilities that are missing', () => {
    const said = without('-sys_admin,-perfmon,-bpf,-net_admin', 'plain');
    expect(said).toContain('EVENKEEL_BPF_PERMISSION');
    expect(said).toContain('EPERM - this process lacks CAP_BPF');
  });
});

function closing<M extends { close(): void }>(map: M): Disposable & { readonly map: M } {
  return { map, [Symbol.dispose]: () => map.close() };
}
