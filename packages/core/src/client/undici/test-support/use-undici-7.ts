/** Preloaded with `--import`: builds the dispatcher on undici 7, while the callers of a script keep both versions. */
import { registerHooks } from 'node:module';

const ours = new URL('../', import.meta.url).href;
const testSupport = new URL('./', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) => {
    const from = context.parentURL ?? '';
    const isOurs = from.startsWith(ours) && !from.startsWith(testSupport);
    return next(specifier === 'undici' && isOurs ? 'undici-v7' : specifier, context);
  },
});
