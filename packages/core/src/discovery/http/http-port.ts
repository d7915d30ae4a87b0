/** Exchanges with one HTTP server: the port that the network stands behind. */
export interface HttpPort {
  /** Rejects for anything but a whole answer: refused, reset, cut off, too large, too late, aborted. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Cuts every connection. Idempotent. */
  close(): void;
}

export interface StreamingHttpPort extends HttpPort {
  /**
   * Opens an answer that comes in pieces and has no end of its own. Resolves when its head has come, within the time of
   * the request; the listener hears it and the rest, and silence is the caller's to notice. The signal cuts it at any
   * time.
   */
  open(request: HttpRequest, listener: StreamListener): Promise<HttpStream>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** For everything, from connecting to the last byte; of a stream, to its head. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** An answer whose body is still coming. */
export interface HttpStream {
  /** Cuts its connection; the listener hears nothing more. Idempotent. */
  close(): void;
}

export interface StreamListener {
  /** The first call. */
  onHead(status: number): void;
  onData(chunk: Buffer): void;
  /** The last call, once: the answer has ended, or its connection broke. */
  onEnd(problem: string): void;
}
