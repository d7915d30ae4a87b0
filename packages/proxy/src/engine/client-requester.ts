/** What stays the same over all tries of a client's request. */
import type { ClientConnection } from './client-connection.ts';
import { RequestKind } from './request-kind.ts';

export abstract class ClientRequester {
  readonly kind: RequestKind = new RequestKind();
  /** Has any of a final response gone to the client? */
  answered = false;
  readonly client: ClientConnection;

  constructor(client: ClientConnection) {
    this.client = client;
  }

  get requestDone(): boolean {
    return this.client.requestDone;
  }

  get isHead(): boolean {
    return this.kind.isHead;
  }

  get isUpgrade(): boolean {
    return this.kind.isUpgrade;
  }

  upstreamDrained(): void {
    this.client.reading.resume();
  }
}
