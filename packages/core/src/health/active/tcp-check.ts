/**
 * One connection to an endpoint. What makes it pass:
 *
 * | options | passes when |
 * |---|---|
 * | none | the connection stands (with `tls`: after a good handshake) |
 * | `send` | all of it is handed to the operating system |
 * | `expect`, with or without `send` | the bytes have appeared among the first `MAX_ANSWER_BYTES` |
 *
 * A connection that the endpoint closes right after accepting passes a check without `expect`: whether it accepts is
 * all that was asked.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../../model/endpoint.ts';
import { type Attempt, attempt } from './attempt.ts';
import {
  type CheckEnvironment,
  type CheckFactory,
  type CheckResult,
  failed,
  type HealthCheck,
  MAX_ANSWER_BYTES,
  passed,
} from './check.ts';
import { failureReason } from './failure-reason.ts';
import { type CheckTarget, checkTargetOf, serverNameOf } from './target.ts';
import { bytesOf, type TcpCheckConfig } from './tcp-config.ts';
import { type CheckTls, createCheckTls } from './tls-config.ts';

/** What is the same for all endpoints of a cluster. */
interface TcpPlan {
  readonly timeoutMs: number;
  readonly port: number | undefined;
  readonly send: Buffer | undefined;
  readonly expect: Buffer | undefined;
  readonly tls: CheckTls | undefined;
}

/** TCP checks for the endpoints of a cluster. */
export function createTcpChecks(
  config: TcpCheckConfig,
  environment: CheckEnvironment,
): CheckFactory {
  const plan: TcpPlan = {
    timeoutMs: config.timeoutMs,
    port: config.port,
    send: config.send === undefined ? undefined : bytesOf(config.send),
    expect: config.expect === undefined ? undefined : bytesOf(config.expect),
    tls: createCheckTls(config.tls),
  };
  return (endpoint) => new TcpCheck(plan, endpoint, environment);
}

class TcpCheck implements HealthCheck {
  readonly #plan: TcpPlan;
  readonly #endpoint: Endpoint;
  readonly #environment: CheckEnvironment;

  constructor(plan: TcpPlan, endpoint: Endpoint, environment: CheckEnvironment) {
    this.#plan = plan;
    this.#endpoint = endpoint;
    this.#environment = environment;
  }

  run(signal: AbortSignal): Promise<CheckResult> {
    const { runtime, sockets } = this.#environment;
    const { timeoutMs, port, tls } = this.#plan;
    return attempt({ runtime, timeoutMs, signal }, (current) => {
      const target = checkTargetOf(this.#endpoint.address, port);
      const socket = tls === undefined ? connectTcp(target) : this.#connectTls(tls, target);
      sockets.add(socket);
      // Stays for good: an error after the verdict must not become an uncaught one.
      socket.on('error', (error) => current.settle(failed(failureReason(error, current.step))));
      // An orderly end comes without an error; after the verdict this does nothing.
      socket.on('close', () => current.settle(failed(`connection closed (${current.step})`)));
      if (tls !== undefined) socket.once('connect', () => (current.step = 'TLS handshake'));
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () =>
        this.#talk(socket, current),
      );
      return () => socket.destroy();
    });
  }

  close(): void {
    // Nothing outlives a run.
  }

  /** The connection stands. */
  #talk(socket: Socket, current: Attempt): void {
    const { send, expect } = this.#plan;
    if (expect !== undefined) {
      current.step = 'waiting for the answer';
      socket.on('data', createMatcher(expect, current));
    }
    if (send === undefined) {
      if (expect === undefined) current.settle(passed('connected'));
      return;
    }
    socket.write(send, (error) => {
      // With an error the socket tells it itself.
      if (error == null && expect === undefined) current.settle(passed('connected'));
    });
  }

  #connectTls(tls: CheckTls, target: CheckTarget): Socket {
    const servername = serverNameOf(this.#endpoint, tls.servername);
    return connectTls({
      ...target,
      secureContext: tls.secureContext,
      rejectUnauthorized: tls.rejectUnauthorized,
      ...(servername === undefined ? {} : { servername }),
    });
  }
}

/** Takes the answer piece by piece until the expected bytes have appeared or too much has come. */
function createMatcher(expect: Buffer, current: Attempt): (chunk: Buffer) => void {
  let seenBytes = 0;
  // What could be the beginning of the expected bytes: one byte less than they have is enough.
  let tail: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const window = Buffer.concat([tail, chunk]);
    seenBytes += chunk.length;
    if (window.includes(expect)) {
      current.settle(passed('expected answer'));
    } else if (seenBytes >= MAX_ANSWER_BYTES) {
      current.settle(failed(`no expected answer within ${MAX_ANSWER_BYTES} bytes`));
    } else {
      tail = window.subarray(Math.max(0, window.length - expect.length + 1));
    }
  };
}
