/** Clusters in front of servers that say who they are. */
import { type Cluster, createCluster } from '@evenkeel/core';
import {
  type OriginConnection,
  scriptedOrigin,
  type ScriptedOrigin,
} from '../../engine/test-support/scripted-origin.ts';

export interface NamedOrigin {
  readonly cluster: Cluster;
  readonly origin: ScriptedOrigin;
  /** Answers the requests that were held, and all that come. */
  release(): void;
  /** Answers no request until {@link release}. */
  hold(): void;
}

const held = new Set<NamedOrigin>();

/** A cluster with one server, whose answer to every request is the name of the cluster and the path of the request. */
export async function namedOrigin(name: string): Promise<NamedOrigin> {
  let holds = false;
  const answer = (connection: OriginConnection): void => {
    for (;;) {
      const end = connection.received.indexOf('\r\n\r\n');
      if (end < 0 || holds) return;
      const path = connection.received.split(' ')[1] ?? '';
      connection.received = connection.received.slice(end + 4);
      const body = `${name}${path}`;
      connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    }
  };
  const origin = await scriptedOrigin(answer);
  const cluster = createCluster({ name, discovery: [`127.0.0.1:${origin.port}`] });
  await cluster.ready();
  const made: NamedOrigin = {
    cluster,
    origin,
    hold: () => {
      holds = true;
    },
    release: () => {
      holds = false;
      for (const connection of origin.connections) answer(connection);
    },
  };
  held.add(made);
  return made;
}

/** All that were made. */
export async function closeOrigins(): Promise<void> {
  for (const made of held) {
    await made.cluster.close();
    await made.origin.close();
  }
  held.clear();
}
