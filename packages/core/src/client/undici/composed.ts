import type { Dispatcher } from 'undici';
import { type Handler, type LegacyHandler, normaliseHandler } from './handler.ts';

/**
 * What `compose()` hands out, made safe in two respects that undici leaves open:
 *
 * - Interceptors get handlers of the new shape, whoever calls. undici 8 expects that of every caller, and undici 7 does
 *   it only for its own `compose`.
 * - `close` and `destroy` work on it: they belong to the dispatcher itself, whose private state a proxy cannot reach.
 *
 * @param inner what undici's own `compose` made of `target`
 */
export function composed<Target extends Dispatcher>(
  target: Target,
  inner: Dispatcher.ComposedDispatcher,
): Target {
  const dispatch = (
    options: Dispatcher.DispatchOptions,
    handler: Handler | LegacyHandler,
  ): boolean => inner.dispatch(options, normaliseHandler(handler));
  const own = new Map<PropertyKey, unknown>([
    ['dispatch', dispatch],
    ['close', target.close.bind(target)],
    ['destroy', target.destroy.bind(target)],
  ]);
  return new Proxy(target, {
    // The target itself is the receiver: getters read private state, too.
    get: (_target, key) => own.get(key) ?? (Reflect.get(target, key) as unknown),
  });
}
