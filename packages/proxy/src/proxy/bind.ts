/** Opens the ports of a configuration before it comes into force: all of them, or none. */
import { ConfigError } from '@evenkeel/core';
import type { Port } from './port.ts';

/** A port with the address that it is to listen on. */
export interface Place {
  readonly port: Port;
  readonly host: string;
  /** 0 for any free one. */
  readonly number: number;
  readonly isUdp: boolean;
  /** Where the options name it, for errors. */
  readonly path: string;
}

/**
 * Binds what is new. A port number that one of the old listeners still holds, because the new one has another kind or
 * another host, passes from the one to the other: the old one is closed, then the new one bound; in between are a few
 * turns of the event loop. Sessions of datagrams end with that, connections do not.
 *
 * @param leaving listeners that the configuration does not have any more
 * @throws ConfigError with what listening fails with; the new ones are closed, and the old ones open then
 */
export async function bind(opening: readonly Place[], leaving: readonly Place[]): Promise<void> {
  const closed: Place[] = [];
  try {
    const held: Place[] = [];
    for (const place of opening) if (!(await tryListen(place, leaving))) held.push(place);
    for (const place of held) {
      for (const other of leaving.filter((old) => !closed.includes(old) && isRival(old, place))) {
        closed.push(other);
        other.port.close();
        if (other.isUdp) other.port.destroy();
      }
      await listen(place);
    }
  } catch (error) {
    for (const { port } of opening) port.close();
    for (const { port, host } of closed) await port.listen(host, port.address.port);
    throw error;
  }
}

/** @returns false when somebody has the port who is about to leave it */
async function tryListen(place: Place, leaving: readonly Place[]): Promise<boolean> {
  try {
    await listen(place);
    return true;
  } catch (error) {
    const { code } = (error as ConfigError).cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' && leaving.some((old) => isRival(old, place))) return false;
    throw error;
  }
}

function isRival(old: Place, { number, isUdp }: Place): boolean {
  return old.isUdp === isUdp && old.port.address.port === number;
}

async function listen({ port, host, number, path }: Place): Promise<void> {
  try {
    await port.listen(host, number);
  } catch (error) {
    const expected = 'an address that can be listened on';
    throw new ConfigError([{ path, expected, actual: (error as Error).message }], error);
  }
}
