import { createRuntime, type Runtime } from '../runtime/runtime.ts';
import { Announcer } from './announcer.ts';
import { decodeRegisterOptions, type RegisterOptions } from './config.ts';
import type { Registration } from './registration.ts';

/**
 * Announces this process in a registry and keeps the announcement alive: heartbeats, announced anew when the registry
 * has lost it, taken away by `close()`. Begins at once; nothing of it keeps the process alive.
 *
 * @example
 * const registration = register({ registry: consulRegistry(), service: 'users', port: 8080 });
 * await registration.ready();
 * process.once('SIGTERM', () => registration.close().then(() => server.close()));
 * @throws ConfigError naming every wrong option; nothing is announced then
 */
export function register(options: RegisterOptions, ports: Partial<Runtime> = {}): Registration {
  const { registry, announcement, lingerMs } = decodeRegisterOptions(options);
  const runtime = createRuntime(ports);
  const announcer = new Announcer({
    id: announcement.id,
    service: announcement.service,
    kind: registry.kind,
    registrar: registry.open(announcement, runtime),
    lingerMs,
    runtime,
  });
  announcer.start();
  return announcer;
}
