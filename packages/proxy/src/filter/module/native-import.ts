type Exports = Readonly<Record<string, unknown>>;

let compiled: ((url: string) => Promise<Exports>) | undefined = undefined;

/**
 * `import()`, also where this package was built for CommonJS: builds make `require()` of it there, which finds no URL and
 * would load a file once only. They do not look into texts.
 *
 * @param url absolute, with a query that nothing else has
 */
export async function nativeImport(url: string): Promise<Exports> {
  try {
    return (await import(/* @vite-ignore */ url)) as Exports;
  } catch (error) {
    if (!isOfRequire(error, url)) throw error;
    // oxlint-disable-next-line typescript/no-implied-eval -- a constant text: see above
    compiled ??= new Function('url', 'return import(url)') as typeof compiled & object;
    return compiled(url);
  }
}

/** `import()` has another code for modules that are missing. */
function isOfRequire(error: unknown, url: string): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return code === 'MODULE_NOT_FOUND' && String(message).includes(url);
}
