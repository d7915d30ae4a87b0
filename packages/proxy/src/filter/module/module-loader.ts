/**
 * Loads a module again and again. Node keeps a module for each URL for good, so each time it has another one, and so have
 * the modules that it imports by relative paths:
 *
 * ```text
 *   tenant.ts?evenkeel-filter=3f2a.1 ─► rules.ts?evenkeel-filter=3f2a.1      what came before stays as it is, for the
 *   tenant.ts?evenkeel-filter=3f2a.2 ─► rules.ts?evenkeel-filter=3f2a.2      requests that it still has
 * ```
 *
 * A hook of `node:module` does the latter, and so knows the files that belong to the filter. Packages are not loaded
 * again, nor are modules in CommonJS. Old modules stay in memory until the process ends: some kilobytes for each change.
 */
import { randomBytes } from 'node:crypto';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nativeImport } from './native-import.ts';

export interface LoadedModule {
  readonly exports: Readonly<Record<string, unknown>>;
  /** The module and what it imports by relative paths. */
  readonly files: readonly string[];
}

/** A module could not be loaded. */
export class LoadFailure extends Error {
  /** Those that were found before it failed. */
  readonly files: readonly string[];

  constructor(cause: unknown, files: readonly string[]) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.files = files;
  }
}

const PARAMETER = 'evenkeel-filter';

export class ModuleLoader {
  readonly #path: string;
  readonly #mark = `${PARAMETER}=${randomBytes(6).toString('hex')}.`;
  readonly #hooks: { deregister(): void };
  #version = 0;
  #files = new Set<string>();

  /** @param path absolute */
  constructor(path: string) {
    this.#path = path;
    this.#hooks = registerHooks({
      resolve: (specifier, context, nextResolve) => {
        const parameter = this.#parameterOf(context.parentURL);
        if (parameter === undefined || !isRelative(specifier)) {
          return nextResolve(specifier, context);
        }
        // Before it is looked for: a file that is missing is worth watching, too.
        this.#found(new URL(specifier, context.parentURL));
        const resolved = nextResolve(specifier, context);
        if (!resolved.url.startsWith('file:')) return resolved;
        this.#found(new URL(resolved.url));
        if (resolved.format === 'commonjs') return resolved;
        const mark = resolved.url.includes('?') ? '&' : '?';
        return { ...resolved, url: `${resolved.url}${mark}${parameter}` };
      },
    });
  }

  /** One at a time. @throws LoadFailure */
  async load(): Promise<LoadedModule> {
    this.#files = new Set([this.#path]);
    const url = `${pathToFileURL(this.#path).href}?${this.#mark}${++this.#version}`;
    try {
      return { exports: await nativeImport(url), files: [...this.#files] };
    } catch (error) {
      throw new LoadFailure(error, [...this.#files]);
    }
  }

  /** Later imports of modules that were loaded are as if without this loader. */
  close(): void {
    this.#hooks.deregister();
  }

  #found(url: URL): void {
    if (url.protocol === 'file:') this.#files.add(fileURLToPath(url));
  }

  /** `evenkeel-filter=3f2a.1` for modules that this loader has loaded. */
  #parameterOf(url: string | undefined): string | undefined {
    const from = url?.indexOf(this.#mark) ?? -1;
    if (url === undefined || from < 0) return undefined;
    return /^[^&#]*/.exec(url.slice(from))?.[0];
  }
}

function isRelative(specifier: string): boolean {
  return /^(\.{1,2}\/|\/|file:)/.test(specifier);
}
