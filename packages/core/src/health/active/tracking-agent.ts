import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { OpenSockets } from './open-sockets.ts';

export interface TrackingAgentOptions {
  readonly tls: boolean;
  /** Keep one connection for the next request? */
  readonly keepAlive: boolean;
  readonly sockets: OpenSockets;
}

/**
 * An agent that enters its sockets when they are made and not when a request gets them: a request may be cancelled in
 * between, and its socket would be nobody's.
 */
export function createTrackingAgent({ tls, keepAlive, sockets }: TrackingAgentOptions): HttpAgent {
  // Two, because the place of a connection that is being closed is not free at once.
  const limits = { keepAlive, maxFreeSockets: 1, ...(keepAlive ? { maxSockets: 2 } : {}) };
  // No session is kept: a check should see the whole handshake and the certificate of today.
  const agent = tls ? new HttpsAgent({ ...limits, maxCachedSessions: 0 }) : new HttpAgent(limits);
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = create(options, callback);
    if (socket != null) sockets.add(socket);
    return socket;
  };
  return agent;
}
