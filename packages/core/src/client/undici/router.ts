/** From the origin of a URL to the cluster that it names. */
import { configError, describeValue } from '../../error/config-error.ts';
import { EvenkeelError } from '../../error/evenkeel-error.ts';
import type { Route } from './route.ts';

/** Origins remembered with their route. URLs that a program builds from user input must not fill the memory. */
const MAX_REMEMBERED = 1_024;

const DEFAULT_PORT: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

export class Router {
  readonly #byHost = new Map<string, Route>();
  readonly #byOrigin = new Map<string, Route>();

  /**
   * @param host a name, or a name with a port; a plain name stands for every port
   * @throws ConfigError when it is no host name, or taken
   */
  add(host: string, route: Route): void {
    const key = host.toLowerCase();
    if (!isHost(key)) {
      throw configError(
        `createDispatcher.clusters (${route.name})`,
        "a name that can stand in a URL, like 'users' or 'users:8080'; give others under 'hosts'",
        host,
      );
    }
    if (this.#byHost.has(key)) {
      throw configError(
        `createDispatcher.clusters (${route.name})`,
        'host names that differ',
        host,
      );
    }
    this.#byHost.set(key, route);
  }

  /** @param origin `http://users`, `https://users:8080`; undefined when it names no cluster */
  find(origin: string): Route | undefined {
    const known = this.#byOrigin.get(origin);
    if (known !== undefined) return known;
    const url = parse(origin);
    if (url === undefined) return undefined;
    const port = url.port !== '' ? url.port : DEFAULT_PORT[url.protocol];
    const route = this.#byHost.get(`${url.hostname}:${port}`) ?? this.#byHost.get(url.hostname);
    if (route !== undefined && this.#byOrigin.size < MAX_REMEMBERED)
      this.#byOrigin.set(origin, route);
    return route;
  }

  /** @returns the error for an origin that names no cluster */
  unknown(origin: string): EvenkeelError {
    // Shown without credentials.
    const shown = parse(origin)?.origin ?? describeValue(origin);
    const names = [...this.#byHost.keys()].map((name) => `'${name}'`).join(', ');
    return new EvenkeelError(
      'EVENKEEL_UNKNOWN_CLUSTER',
      `${shown} names none of this dispatcher's clusters (${names === '' ? 'it has none' : names})`,
    );
  }
}

function parse(origin: string): URL | undefined {
  const url = URL.parse(origin);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}

/** A port that is the scheme's default would vanish from the URL: hence a second look with the other scheme. */
function isHost(host: string): boolean {
  return ['http', 'https'].some((scheme) => URL.parse(`${scheme}://${host}`)?.host === host);
}
