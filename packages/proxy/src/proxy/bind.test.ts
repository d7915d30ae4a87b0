import { ConfigError } from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import { bind, type Place } from './bind.ts';
import type { Port } from './port.ts';

/** Who listens on which port of a machine with one address; `all` keeps the order of what happened. */
class Machine {
  readonly taken = new Map<number, string>();
  readonly events: string[] = [];

  place(name: string, number: number, options: Partial<Place> = {}): Place {
    let bound = 0;
    const port: Port = {
      get address() {
        return { host: '', port: bound };
      },
      tls: undefined,
      activeCount: 0,
      listen: async (_, wanted) => {
        await Promise.resolve();
        if (this.taken.has(wanted))
          throw Object.assign(new Error(`${wanted} is taken`), { code: 'EADDRINUSE' });
        if (wanted === 1) throw Object.assign(new Error('not allowed'), { code: 'EACCES' });
        this.taken.set(wanted, name);
        bound = wanted;
        this.events.push(`${name} listens`);
      },
      close: () => {
        if (this.taken.get(bound) === name) this.taken.delete(bound);
        this.events.push(`${name} closes`);
      },
      drain: () => undefined,
      destroy: () => this.events.push(`${name} ends`),
      gone: () => Promise.resolve(),
    };
    return { port, host: 'h', number, isUdp: false, path: `listeners.${name}`, ...options };
  }

  async open(name: string, number: number, options: Partial<Place> = {}): Promise<Place> {
    const place = this.place(name, number, options);
    await place.port.listen('h', number);
    this.events.length = 0;
    return place;
  }
}

describe('binding the ports of a configuration', () => {
  it('opens what is new and leaves alone what leaves', async () => {
    const machine = new Machine();
    const old = await machine.open('old', 80);
    await bind([machine.place('a', 81), machine.place('b', 82)], [old]);
    expect(machine.events).toEqual(['a listens', 'b listens']);
  });

  it('closes the old one first where the new one needs its port, after all others are open', async () => {
    const machine = new Machine();
    const old = await machine.open('old', 80);
    await bind([machine.place('new', 80), machine.place('b', 81)], [old]);
    expect(machine.events).toEqual(['b listens', 'old closes', 'new listens']);
  });

  it('ends the sessions of datagrams that hold the port', async () => {
    const machine = new Machine();
    const old = await machine.open('old', 53, { isUdp: true });
    await bind([machine.place('new', 53, { isUdp: true })], [old]);
    expect(machine.events).toEqual(['old closes', 'old ends', 'new listens']);
  });

  it('takes nothing from a listener of the other transport', async () => {
    const machine = new Machine();
    const old = await machine.open('old', 53, { isUdp: true });
    await expect(bind([machine.place('new', 53)], [old])).rejects.toThrow(ConfigError);
    expect(machine.taken.get(53)).toBe('old');
  });

  it.each([
    ['is taken by a stranger', 90, '90 is taken'],
    ['may not be used', 1, 'not allowed'],
  ])('opens nothing where one port %s, and says which', async (_, number, reason) => {
    const machine = new Machine();
    await machine.open('stranger', 90);
    const failed = bind([machine.place('a', 81), machine.place('b', number)], []);
    await expect(failed).rejects.toMatchObject({
      issues: [
        { path: 'listeners.b', expected: 'an address that can be listened on', actual: reason },
      ],
    });
    expect([...machine.taken.values()]).toEqual(['stranger']);
  });

  it('opens the old ones again when that is how far it came', async () => {
    const machine = new Machine();
    const old = await machine.open('old', 80);
    const blocked = await machine.open('blocked', 90);
    // Somebody else is faster than the new one.
    const close = blocked.port.close.bind(blocked.port);
    const stolen: Place = {
      ...blocked,
      port: Object.assign(Object.create(blocked.port) as Port, {
        close: () => {
          close();
          machine.taken.set(90, 'stranger');
        },
        listen: () => Promise.resolve(),
      }),
    };
    const opening = [machine.place('a', 80), machine.place('b', 90), machine.place('c', 81)];
    await expect(bind(opening, [old, stolen])).rejects.toThrow('90 is taken');
    expect([...machine.taken].sort()).toEqual([
      [80, 'old'],
      [90, 'stranger'],
    ]);
  });
});
