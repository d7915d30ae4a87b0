/** One exchange with a Consul agent: the port that the network stands behind. */
export interface HttpPort {
  /** Rejects for anything but a whole answer: refused, reset, cut off, too large, too late, aborted. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Cuts every connection. Idempotent. */
  close(): void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT';
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** For everything, from connecting to the last byte. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}
