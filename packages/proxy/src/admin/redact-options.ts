/** Options as they may be shown: without keys, passwords and the like, and with what is no data as a word. */
import { type Cluster, isSecretKey, REDACTED, redactText } from '@evenkeel/core';
import type { ProxyOptions } from '../config/options.ts';

/** Secret by their name, and needed to understand a configuration: their values are looked at one by one. */
const OPEN_KEYS: ReadonlySet<string> = new Set(['headers', 'cookies', 'cookie', 'token']);

/** Longest text that is shown: bodies and certificates are not what a reader looks for. */
const MAX_CHARACTERS = 512;

export function redactOptions(options: ProxyOptions): unknown {
  const clusters = options.clusters.map(({ name }: Cluster) => name);
  return shown('', { ...options, clusters });
}

function shown(key: string, value: unknown): unknown {
  if (isOpaque(key, value)) return REDACTED;
  if (typeof value === 'string') return shortened(redactText(value));
  if (typeof value === 'function') return '[function]';
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => shown('', item));
  if (Object.getPrototypeOf(value) !== Object.prototype) return `[${value.constructor.name}]`;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(name, item)]));
}

/** Objects under a secret key hold options, in which what is secret has a key of its own again. */
function isOpaque(key: string, value: unknown): boolean {
  if (!isSecretKey(key)) return false;
  if (typeof value === 'object' && value !== null) return key === 'users';
  return (
    typeof value === 'string' && !(OPEN_KEYS.has(key) && value.length <= 64 && key !== 'token')
  );
}

function shortened(text: string): string {
  return text.length <= MAX_CHARACTERS
    ? text
    : `${text.slice(0, MAX_CHARACTERS)}… (${text.length})`;
}
