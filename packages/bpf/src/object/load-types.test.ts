/** What the compiler knows about a loaded object, and what it refuses. Nothing here runs. */
import { describe, expectTypeOf, it } from 'vitest';
import {
  attachSkLookup,
  attachTcx,
  attachXdp,
  type BpfMap,
  type LoadedObject,
  loadObject,
  type MapOfMaps,
  type PerCpuMap,
  type Program,
  type QueueMap,
  type RingBuffer,
} from '../index.ts';
import { type Address, type Backend, basic } from './test-support/generated/basic.ts';

const load = () => loadObject(basic);
type Loaded = ReturnType<typeof load>;
type Maps = Loaded['maps'];

describe('types of a loaded object', () => {
  it('every map is of its class, with keys and values from C', () => {
    expectTypeOf<Maps['backends']>().toEqualTypeOf<BpfMap<Address, Backend>>();
    expectTypeOf<Maps['stats']>().toEqualTypeOf<PerCpuMap<number, bigint>>();
    expectTypeOf<Maps['events']>().toEqualTypeOf<RingBuffer>();
    expectTypeOf<Maps['waiting']>().toEqualTypeOf<QueueMap<number>>();
    expectTypeOf<Maps['services']>().toEqualTypeOf<MapOfMaps<number, BpfMap<number, bigint>>>();
  });

  it('programs know their type, and attach only where they belong', () => {
    expectTypeOf<Loaded['programs']['connect4']>().toEqualTypeOf<Program<'cgroup-sock-addr'>>();
    const refused = ({ programs }: Loaded): void => {
      attachXdp(programs.countPackets, { interface: 'eth0' });
      // @ts-expect-error -- a program of traffic control
      attachXdp(programs.countFrames, { interface: 'eth0' });
      // @ts-expect-error -- an XDP program
      attachTcx(programs.countPackets, { interface: 'eth0', direction: 'ingress' });
      // @ts-expect-error -- a cgroup program
      attachSkLookup(programs.connect4);
    };
    expectTypeOf(refused).toBeFunction();
  });

  it('options and variables are those of the object', () => {
    const refused = (): void => {
      // @ts-expect-error -- no such constant
      loadObject(basic, { constants: { nothing: 1 } });
      // @ts-expect-error -- no such map
      loadObject(basic, { maxEntries: { nothing: 1 } });
      // @ts-expect-error -- a number, not a bigint
      load().globals.data.set('verdict', 1n);
    };
    expectTypeOf(refused).toBeFunction();
    expectTypeOf<ReturnType<Loaded['globals']['bss']['read']>['seen']>().toEqualTypeOf<bigint>();
    expectTypeOf<LoadedObject>().toHaveProperty('close');
  });
});
