/** The ring of the real kernel, filled by a program. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { loadObject } from '../index.ts';
import { basic, type Event, eventCodec } from '../object/test-support/generated/basic.ts';

const { path } = requireComponent('bpf');

describe.skipIf(path === undefined)('a ring buffer', () => {
  let object: ReturnType<typeof load>;
  const load = () => loadObject(basic);
  beforeEach(() => {
    object = load();
  });
  afterEach(() => object.close());

  const emit = (count: number): void =>
    void object.programs.emitEvent.testRun({ data: new Uint8Array(64), repeat: count });

  it('delivers events while the process does other things', async () => {
    const events: Event[] = [];
    const reader = object.maps.events.read(eventCodec, (event) => events.push(event), {
      intervalMs: 1,
    });
    emit(3);
    await expect.poll(() => events.length).toBe(3);
    expect(events[0]).toMatchObject({ ip4: 0x0a00_0001, port: 8080, family: 2 });
    expect(events.map(({ atNs }) => atNs)).toEqual(
      events.map(({ atNs }) => atNs).toSorted((a, b) => Number(a - b)),
    );
    emit(2);
    await expect.poll(() => events.length).toBe(5);
    expect(reader.recordCount).toBe(5);
    reader.close();
  });

  it('loses nothing that found room, over many turns around', () => {
    const { events } = object.maps;
    const reader = events.read(eventCodec, () => undefined, { recordsPerTurn: 10_000 });
    // 24 bytes each with their header; a round fills three quarters of the ring.
    const perRound = Math.floor((events.spec.maxEntries * 0.75) / 24);
    for (let round = 0; round < 50; round += 1) {
      emit(perRound);
      expect(reader.drain()).toBe(perRound);
    }
    expect(object.globals.bss.get('seen')).toBe(0n);
    expect(reader.malformedCount).toBe(0);
    reader.close();
  });

  it('is full when nobody reads, and goes on afterwards', () => {
    emit(10_000);
    const lost = Number(object.globals.bss.get('seen'));
    expect(lost).toBeGreaterThan(9_000);
    const reader = object.maps.events.read(eventCodec, () => undefined, { recordsPerTurn: 20_000 });
    expect(reader.drain()).toBe(10_000 - lost);
    emit(1);
    expect(reader.drain()).toBe(1);
    reader.close();
  });

  it('hands its records to the next reader when the first is closed', () => {
    const first = object.maps.events.readBytes(() => undefined);
    first.close();
    emit(2);
    const lengths: number[] = [];
    const second = object.maps.events.readBytes((record) => lengths.push(record.length));
    second.drain();
    second.close();
    expect(lengths).toEqual([16, 16]);
  });
});
