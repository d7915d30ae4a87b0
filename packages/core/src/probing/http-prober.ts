/**
 * Probes over HTTP/1.1: one small GET, on connections that are kept. It runs beside the requests of an application and
 * may be as frequent as they are, so it is bounded in every way: probes under way, time, bytes of an answer.
 */
import { Agent as HttpAgent, type ClientRequest, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { checkTargetOf, hostHeaderOf, serverNameOf } from '../health/active/target.ts';
import { decodeProbeAnswer } from '../load-report/probe-answer.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { ProbeConfig, ProbeFailure, ProbeListener, Prober } from '../policy/probing.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ProbeAttempt } from './probe-attempt.ts';

/** Idle connections are closed after this time: with many endpoints each is probed seldom. */
const KEEP_ALIVE_MS = 10_000;

/** Makes a prober; nothing of it keeps the process alive. */
export function createHttpProber(config: ProbeConfig, runtime: Runtime): Prober {
  return new HttpProber(config, runtime);
}

class HttpProber implements Prober {
  readonly #config: ProbeConfig;
  readonly #runtime: Runtime;
  readonly #agent: HttpAgent;
  readonly #underWay = new Set<ProbeAttempt>();
  #closed = false;
  #complained = false;

  constructor(config: ProbeConfig, runtime: Runtime) {
    this.#config = config;
    this.#runtime = runtime;
    const options = { keepAlive: true, maxFreeSockets: 1, timeout: KEEP_ALIVE_MS };
    this.#agent = config.tls === true ? new HttpsAgent(options) : new HttpAgent(options);
  }

  probe(slot: number, endpoint: Endpoint, listener: ProbeListener): boolean {
    const { timeoutMs, maxConcurrent } = this.#config;
    if (this.#closed || this.#underWay.size >= maxConcurrent) return false;
    const attempt = new ProbeAttempt({
      runtime: this.#runtime,
      timeoutMs,
      onAnswer: (text) => {
        this.#underWay.delete(attempt);
        const answer = decodeProbeAnswer(text);
        const nowMs = this.#runtime.clock.nowMs();
        if (answer !== undefined) listener.onProbeAnswer(slot, endpoint, answer, nowMs);
        else this.#fail(slot, endpoint, listener, 'not-understood');
      },
      onFailure: (failure) => {
        this.#underWay.delete(attempt);
        this.#fail(slot, endpoint, listener, failure);
      },
    });
    this.#underWay.add(attempt);
    attempt.run(() => this.#open(endpoint));
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const attempt of this.#underWay) attempt.cancel();
    this.#underWay.clear();
    this.#agent.destroy();
  }

  // oxlint-disable-next-line max-params -- the listener's parameters
  #fail(slot: number, endpoint: Endpoint, listener: ProbeListener, failure: ProbeFailure): void {
    if (failure === 'not-understood' && !this.#complained) {
      this.#complained = true;
      this.#runtime.logger.warn(
        { endpoint: endpoint.id, path: this.#config.path },
        'an endpoint does not understand probes; told once',
      );
    }
    listener.onProbeFailure(slot, endpoint, failure, this.#runtime.clock.nowMs());
  }

  #open(endpoint: Endpoint): ClientRequest {
    const { path, port, tls = false } = this.#config;
    const target = checkTargetOf(endpoint.address, port);
    const options = {
      ...('path' in target ? { socketPath: target.path } : target),
      path,
      agent: this.#agent,
      headers: { host: hostHeaderOf(endpoint, target, tls), accept: 'application/json' },
    };
    if (!tls) return requestHttp(options);
    // node:https takes the Host header for the name unless told otherwise; '' sends none.
    return requestHttps({ ...options, servername: serverNameOf(endpoint, undefined) ?? '' });
  }
}
