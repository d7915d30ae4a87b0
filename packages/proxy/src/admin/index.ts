/** `@evenkeel/proxy/admin`: an HTTP API and a page to look at a proxy, and to drive it. */
export { type Admin, type AdminOptions, createAdmin } from './admin.ts';
export type { LogLevel, Scrape } from './api.ts';
export type { AdminListenOptions } from '../config/admin-options.ts';
