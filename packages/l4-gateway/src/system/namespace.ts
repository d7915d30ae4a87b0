import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { libc } from './libc.ts';

/** CLONE_NEWNET of <linux/sched.h>. */
const NETWORK = 0x4000_0000;
/** Where `ip netns` keeps namespaces that have names. */
const NAMED = '/run/netns';

/** Network namespaces with names. */
export function namedNamespaces(): string[] {
  return existsSync(NAMED) ? readdirSync(NAMED) : [];
}

/**
 * Runs something synchronous in another network namespace. Processes started by it are in there as well; it must not
 * leave anything for later behind.
 *
 * @returns undefined when the namespace cannot be entered
 */
export function inNamespace<T>(name: string, task: () => T): T | undefined {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const other = openSync(join(NAMED, name), 'r');
    try {
      if (libc().setns(other, NETWORK) !== 0) return undefined;
      try {
        return task();
      } finally {
        if (libc().setns(own, NETWORK) !== 0) {
          // Nothing this process does from now on would be where its user believes it to be.
          process.abort();
        }
      }
    } finally {
      closeSync(other);
    }
  } catch {
    return undefined;
  } finally {
    closeSync(own);
  }
}
