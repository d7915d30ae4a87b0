/** `externalAuthorization`: a service of one's own decides who gets in. */
import { configErrorOf } from '../shared/config-error-of.ts';
import type { Logger } from '@evenkeel/core';
import type { z } from 'zod';
import type { Filter, FilterAnswer, FilterRequest, FilterStatus } from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import {
  type ExternalAuthorizationConfig,
  type ExternalAuthorizationOptions,
  externalAuthorizationSchema,
} from './schema.ts';
import { dispatcherFor, Service, type ServiceAnswer } from './service.ts';

export const externalAuthorizationKind: FilterKind<
  z.ZodType<ExternalAuthorizationConfig, ExternalAuthorizationOptions>
> = {
  name: 'externalAuthorization',
  about: "A service of one's own decides who gets in.",
  schema: externalAuthorizationSchema,
  clustersOf: ({ cluster }) => (cluster === undefined ? [] : [cluster]),
  create: async (config, ports) => {
    const cluster = config.cluster === undefined ? undefined : ports.clusterOf(config.cluster);
    if (config.cluster !== undefined && cluster === undefined) {
      throw configErrorOf('cluster', 'the name of a cluster', config.cluster);
    }
    const dispatcher = await dispatcherFor(cluster, config);
    const service = new Service(dispatcher, config, ports.runtime.scheduler);
    return new ExternalAuthorizationFilter(service, config, ports.runtime.logger);
  },
};

/** Fields of an answer that are of its message or its connection, and not for the client. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const FAILURE: FilterAnswer = { status: 503, reason: 'authorization-failed' };

class ExternalAuthorizationFilter implements Filter {
  readonly name = 'externalAuthorization';
  readonly #service: Service;
  readonly #config: ExternalAuthorizationConfig;
  readonly #logger: Logger;
  #runningCount = 0;
  #failureCount = 0;

  constructor(service: Service, config: ExternalAuthorizationConfig, logger: Logger) {
    this.#service = service;
    this.#config = config;
    this.#logger = logger;
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined | Promise<FilterAnswer | undefined> {
    const headers = this.#question(request);
    // Before anybody answers: what a client made up must not reach the endpoint, whatever the failure.
    for (const name of this.#config.copyToRequest) request.headers.remove(name);
    if (this.#runningCount >= this.#config.maxConcurrent) {
      return this.#failed(`${this.#runningCount} questions under way already`);
    }
    return this.#ask(headers, request);
  }

  status(): FilterStatus {
    return { runningCount: this.#runningCount, failureCount: this.#failureCount };
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  async #ask(
    headers: Record<string, string>,
    request: FilterRequest,
  ): Promise<FilterAnswer | undefined> {
    this.#runningCount++;
    let answer: ServiceAnswer;
    try {
      answer = await this.#service.ask(headers, request.signal);
    } catch (error) {
      return this.#failed(error instanceof Error ? error.message : String(error));
    } finally {
      this.#runningCount--;
    }
    const { status } = answer;
    if (status >= 200 && status < 300) {
      this.#letIn(answer, request);
      return undefined;
    }
    if (status < 300 || status >= 500) return this.#failed(`status ${status}`);
    return refusalOf(answer, request);
  }

  #question(request: FilterRequest): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const name of this.#config.forwardHeaders) {
      const value = request.header(name);
      if (value !== undefined) headers[name] = value;
    }
    // After those of the request: a client must not pretend to be another one.
    headers['x-forwarded-method'] = request.method;
    headers['x-forwarded-proto'] = request.scheme;
    headers['x-forwarded-host'] = request.host;
    headers['x-forwarded-uri'] = `${request.path}${request.search}`;
    headers['x-forwarded-for'] = request.clientAddress;
    if (request.id !== '') headers['x-request-id'] = request.id;
    return headers;
  }

  #letIn({ headers }: ServiceAnswer, request: FilterRequest): void {
    for (const name of this.#config.copyToRequest) {
      for (const value of valuesOf(headers[name])) request.headers.append(name, value);
    }
    for (const name of this.#config.copyToResponse) {
      for (const value of valuesOf(headers[name])) request.responseHeaders.append(name, value);
    }
  }

  #failed(reason: string): FilterAnswer | undefined {
    this.#failureCount++;
    const { onFailure } = this.#config;
    this.#logger.warn({ reason, onFailure }, 'external authorization failed');
    return onFailure === 'open' ? undefined : FAILURE;
  }
}

function refusalOf(
  { status, headers: fields, body }: ServiceAnswer,
  { responseHeaders }: FilterRequest,
): FilterAnswer {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (NOT_PASSED_ON.has(name) || value === undefined) continue;
    // Several lines, those of cookies above all, must not become one.
    if (typeof value === 'string') headers[name] = value;
    else for (const each of value) responseHeaders.append(name, each);
  }
  return { status, headers, body, reason: 'unauthorized' };
}

function valuesOf(value: string | string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
