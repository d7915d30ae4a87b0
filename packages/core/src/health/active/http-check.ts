/**
 * One HTTP/1.1 request to an endpoint, over node:http so that checks need no optional package.
 *
 * ```text
 * connecting -> TLS handshake -> waiting for the answer -> reading the answer -> verdict
 *      '---------------'--------------------'------------------------'-> any error, deadline or abort: failed
 * ```
 *
 * What the endpoint may do to us is bounded: headers by node (16 KiB), the body by `MAX_ANSWER_BYTES`, all of it by the
 * deadline. Informational answers (1xx) are passed over by node's parser and redirects are answers like any other, so
 * an endpoint cannot send a check somewhere else.
 */
import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Endpoint } from '../../model/endpoint.ts';
import { type Attempt, attempt } from './attempt.ts';
import { createBodyRule, type BodyRule } from './body-rule.ts';
import {
  type CheckEnvironment,
  type CheckFactory,
  type CheckResult,
  failed,
  type HealthCheck,
  MAX_ANSWER_BYTES,
  passed,
  passedDegraded,
} from './check.ts';
import { failureReason } from './failure-reason.ts';
import type { HttpCheckConfig } from './http-config.ts';
import { createStatusSet } from './status-set.ts';
import { checkTargetOf, hostHeaderOf, serverNameOf } from './target.ts';
import { type CheckTls, createCheckTls } from './tls-config.ts';
import { createTrackingAgent } from './tracking-agent.ts';

const ignore = (): void => undefined;

/** What is the same for all endpoints of a cluster. */
interface HttpPlan {
  readonly config: HttpCheckConfig;
  /** Compiled from the options once, because every check asks. */
  readonly isExpected: (statusCode: number) => boolean;
  readonly bodyRule: BodyRule | undefined;
  readonly tls: CheckTls | undefined;
  /** Opens a connection for every request. */
  readonly freshAgent: Agent;
}

/** HTTP checks for the endpoints of a cluster. */
export function createHttpChecks(
  config: HttpCheckConfig,
  environment: CheckEnvironment,
): CheckFactory {
  const tls = createCheckTls(config.tls);
  const plan: HttpPlan = {
    config,
    tls,
    freshAgent: createTrackingAgent({
      tls: tls !== undefined,
      keepAlive: false,
      sockets: environment.sockets,
    }),
    isExpected: createStatusSet(config.expectedStatuses),
    bodyRule: createBodyRule(config),
  };
  return (endpoint) => new HttpCheck(plan, endpoint, environment);
}

class HttpCheck implements HealthCheck {
  readonly #plan: HttpPlan;
  readonly #environment: CheckEnvironment;
  readonly #options: RequestOptions;
  /** Holds the one connection that is kept; undefined: every check opens its own. */
  readonly #keepingAgent: Agent | undefined;

  constructor(plan: HttpPlan, endpoint: Endpoint, environment: CheckEnvironment) {
    this.#plan = plan;
    this.#environment = environment;
    this.#options = requestOptionsOf(plan, endpoint);
    this.#keepingAgent = plan.config.reuseConnection
      ? createTrackingAgent({
          tls: plan.tls !== undefined,
          keepAlive: true,
          sockets: environment.sockets,
        })
      : undefined;
  }

  run(signal: AbortSignal): Promise<CheckResult> {
    const { freshAgent, config } = this.#plan;
    const { timeoutMs } = config;
    return attempt({ runtime: this.#environment.runtime, timeoutMs, signal }, (current) => {
      let request = this.#send(current, this.#keepingAgent ?? freshAgent, () => {
        request = this.#send(current, freshAgent, ignore);
      });
      // A connection that went back to the agent is not this request's any more and survives this.
      return () => void request.destroy();
    });
  }

  close(): void {
    this.#keepingAgent?.destroy();
  }

  /** @param onStale called instead of failing when a kept connection turned out to be closed already */
  #send(current: Attempt, agent: Agent, onStale: () => void): ClientRequest {
    const { tls } = this.#plan;
    const open = tls === undefined ? requestHttp : requestHttps;
    const request = open({ ...this.#options, agent });
    let answered = false;
    request.on('socket', (socket) => this.#watch(socket, request, current));
    request.on('response', (response) => {
      answered = true;
      this.#read(response, current);
    });
    // An answer 101 that nobody asked for; without a listener it would look like a broken connection.
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      current.settle(failed(`HTTP ${response.statusCode}`));
    });
    // Stays for good: an error after the verdict must not become an uncaught one.
    request.on('error', (error) => {
      // The endpoint may close an idle connection in the moment it is used again: no fault of either side.
      if (request.reusedSocket && !answered && !current.settled) onStale();
      else current.settle(failed(failureReason(error, current.step)));
    });
    request.end();
    return request;
  }

  #watch(socket: Socket, request: ClientRequest, current: Attempt): void {
    // An agent makes a kept socket hold the process again when it hands it out.
    socket.unref();
    if (request.reusedSocket) {
      current.step = 'waiting for the answer';
      return;
    }
    const secure = this.#plan.tls !== undefined;
    socket.once(
      'connect',
      () => (current.step = secure ? 'TLS handshake' : 'waiting for the answer'),
    );
    if (secure) socket.once('secureConnect', () => (current.step = 'waiting for the answer'));
  }

  /**
   * The final answer has begun. A right one is read to its end: an endpoint that cannot finish its health page within
   * the timeout is not well, and only a finished answer leaves the connection fit for the next check.
   */
  #read(response: IncomingMessage, current: Attempt): void {
    const { isExpected, bodyRule, config } = this.#plan;
    const statusCode = response.statusCode ?? 0;
    const pass = hasHeader(response, config.degradedHeader) ? passedDegraded : passed;
    response.on('error', (error) => current.settle(failed(failureReason(error, current.step))));
    // A wrong status is enough: whatever the body says, nobody looks at it.
    if (!isExpected(statusCode)) {
      current.settle(failed(`HTTP ${statusCode}`));
      return;
    }
    current.step = 'reading the answer';
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Reached by the end of the answer or by the limit, whichever is first; what is beyond the limit is cut off.
    const finish = (): void => {
      const problem = bodyRule?.(
        Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8'),
      );
      current.settle(problem === undefined ? pass(`HTTP ${statusCode}`) : failed(problem));
    };
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bodyRule !== undefined) chunks.push(chunk);
      if (bytes >= MAX_ANSWER_BYTES) finish();
    });
    response.on('end', finish);
  }
}

function hasHeader(response: IncomingMessage, name: string | undefined): boolean {
  return name !== undefined && response.headers[name.toLowerCase()] !== undefined;
}

function requestOptionsOf({ config, tls }: HttpPlan, endpoint: Endpoint): RequestOptions {
  const target = checkTargetOf(endpoint.address, config.port);
  const host = config.host ?? hostHeaderOf(endpoint, target, tls !== undefined);
  const servername = serverNameOf(endpoint, tls?.servername);
  return {
    ...('path' in target ? { socketPath: target.path } : target),
    method: config.method,
    path: config.path,
    headers: { 'user-agent': 'evenkeel-health-check', accept: '*/*', ...config.headers, host },
    ...(tls === undefined
      ? {}
      : { secureContext: tls.secureContext, rejectUnauthorized: tls.rejectUnauthorized }),
    // node:https takes the Host header for the name unless told otherwise; '' sends none.
    ...(tls === undefined ? {} : { servername: servername ?? '' }),
  };
}
