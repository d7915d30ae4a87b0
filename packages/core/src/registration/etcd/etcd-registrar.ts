import type { EtcdClient } from '../../discovery/etcd/client/etcd-client.ts';
import { EtcdRefusal, GrpcCode } from '../../discovery/etcd/client/refusal.ts';
import {
  encodeKey,
  type Fields,
  fieldsOf,
  keyOf,
  numberOf,
} from '../../discovery/etcd/client/wire.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Announcement, HealthReport, Registrar } from '../registration.ts';
import { encodePayload } from '../payload/encode-payload.ts';

export interface EtcdRegistrarOptions {
  readonly announcement: Announcement;
  readonly client: EtcdClient;
  readonly key: string;
  readonly ttlMs: number;
  readonly degradedWeight: number;
  /** The address to announce where none is given. */
  readonly findAddress: () => Promise<string>;
  readonly runtime: Runtime;
}

/**
 * One key on a lease of its own. The id of the lease is ours to choose, and stays the same, so that every call may be
 * repeated: a lease that was granted although we never heard of it is found again, and none is left behind.
 *
 * A heartbeat renews the lease and looks whether the key still hangs on it. Somebody may have deleted the key, or written
 * another one in its place; the lease alone would not tell.
 */
export class EtcdRegistrar implements Registrar {
  readonly ttlMs: number;
  readonly #options: EtcdRegistrarOptions;
  readonly #client: EtcdClient;
  readonly #key: string;
  readonly #leaseId: string;
  readonly #sinceMs: number;
  #host: string | undefined;
  /** The value that etcd was told last. */
  #told: string | undefined;

  constructor(options: EtcdRegistrarOptions) {
    const { runtime } = options;
    this.ttlMs = options.ttlMs;
    this.#options = options;
    this.#client = options.client;
    this.#key = encodeKey(keyOf(options.key));
    this.#leaseId = leaseIdOf(runtime.random.nextInt32(), runtime.random.nextInt32());
    this.#sinceMs = runtime.clock.wallMs();
  }

  async announce(report: HealthReport, signal: AbortSignal): Promise<void> {
    this.#host ??= this.#options.announcement.address ?? (await this.#options.findAddress());
    const value = this.#valueOf(report, this.#host);
    try {
      const TTL = String(Math.ceil(this.ttlMs / 1_000));
      await this.#call('/v3/lease/grant', { ID: this.#leaseId, TTL }, signal);
    } catch (error) {
      if (!isRefusal(error, GrpcCode.failedPrecondition, /already exists/i)) throw error;
      await this.#renew(signal);
    }
    await this.#call('/v3/kv/put', { key: this.#key, value, lease: this.#leaseId }, signal);
    this.#told = value;
  }

  async beat(report: HealthReport, signal: AbortSignal): Promise<'known' | 'lost'> {
    if (!(await this.#renew(signal))) return 'lost';
    const value = this.#valueOf(report, this.#host ?? '');
    // Written only when it says something new: every writing wakes all who watch.
    const put = { request_put: { key: this.#key, value, lease: this.#leaseId } };
    const answer = await this.#call(
      '/v3/kv/txn',
      {
        compare: [{ key: this.#key, target: 'LEASE', result: 'EQUAL', lease: this.#leaseId }],
        success: value === this.#told ? [] : [put],
        failure: [],
      },
      signal,
    );
    if (answer['succeeded'] !== true) return 'lost';
    this.#told = value;
    return 'known';
  }

  async withdraw(signal: AbortSignal): Promise<void> {
    try {
      // Takes the key along if it is still ours, and only then.
      await this.#call('/v3/lease/revoke', { ID: this.#leaseId }, signal);
    } catch (error) {
      if (!isRefusal(error, GrpcCode.notFound, /lease not found/i)) throw error;
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** @returns is there such a lease? */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const answer = await this.#call('/v3/lease/keepalive', { ID: this.#leaseId }, signal);
    if (answer['error'] !== undefined) throw EtcdRefusal.of(0, answer['error']);
    return numberOf(fieldsOf(answer['result'], 'result'), 'TTL') > 0n;
  }

  async #call(path: string, body: object, signal: AbortSignal): Promise<Fields> {
    return (await this.#client.call({ path, body, signal })).fields;
  }

  #valueOf(report: HealthReport, host: string): string {
    const { announcement, degradedWeight } = this.#options;
    const payload = { announcement, host, report, degradedWeight, sinceMs: this.#sinceMs };
    return (encodePayload('json', payload) ?? Buffer.alloc(0)).toString('base64');
  }
}

function isRefusal(error: unknown, grpcCode: number, words: RegExp): boolean {
  return error instanceof EtcdRefusal && error.grpcCode === grpcCode && words.test(error.message);
}

/** 63 random bits, not all zero: etcd would take 0 for "choose one". */
function leaseIdOf(high: number, low: number): string {
  return String((BigInt(high >>> 1) << 32n) | BigInt(low >>> 0) | 1n);
}
