import { type Dispatcher, fetch } from 'undici';

/** The fetch of the installed undici. */
export type BoundFetch = typeof fetch;

/**
 * A fetch that always goes through a dispatcher: `const call = createFetch(dispatcher); await call('http://users/')`.
 *
 * It is the fetch of the undici that the dispatcher itself is built on, so that both ends speak the same language, whatever Node
 * has built in. Requests, responses, headers and form data are undici's classes.
 */
export function createFetch(dispatcher: Dispatcher): BoundFetch {
  return (input, init) => fetch(input, { ...init, dispatcher });
}
