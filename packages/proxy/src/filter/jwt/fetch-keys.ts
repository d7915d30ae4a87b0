/** Gets a set of keys over HTTP. */
import type { Scheduler } from '@evenkeel/core';
import type { JwkSet } from './schema.ts';

const MAX_BYTES = 262_144;

/**
 * @returns the public keys; shared secrets, private keys and what is no key are left out
 * @throws what went wrong; also an answer without any key, which no issuer means
 */
export async function fetchKeys(
  url: string,
  timeoutMs: number,
  { scheduler, closed }: { readonly scheduler: Scheduler; readonly closed: AbortSignal },
): Promise<JwkSet> {
  const abort = new AbortController();
  const cancel = (): void => abort.abort(new Error('closed'));
  const timer = scheduler.after(timeoutMs, () =>
    abort.abort(new Error(`no answer within ${timeoutMs} ms`)),
  );
  closed.addEventListener('abort', cancel, { once: true });
  try {
    const response = await fetch(url, {
      signal: abort.signal,
      redirect: 'error',
      headers: { accept: 'application/jwk-set+json, application/json' },
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`status ${response.status}`);
    }
    return keysOf(await limitedText(response));
  } finally {
    timer.cancel();
    closed.removeEventListener('abort', cancel);
  }
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`an answer of over ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function keysOf(text: string): JwkSet {
  const { keys } = (JSON.parse(text) ?? {}) as { readonly keys?: unknown };
  const usable = (Array.isArray(keys) ? (keys as unknown[]) : []).filter(isPublicKey);
  if (usable.length === 0) throw new Error('an answer without public keys');
  return { keys: usable };
}

function isPublicKey(key: unknown): key is Readonly<Record<string, unknown>> {
  if (typeof key !== 'object' || key === null) return false;
  const { kty } = key as { readonly kty?: unknown };
  return typeof kty === 'string' && kty !== 'oct' && !('d' in key);
}
