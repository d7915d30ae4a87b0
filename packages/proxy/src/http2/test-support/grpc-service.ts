import * as grpc from '@grpc/grpc-js';

/** Messages are text: nothing here depends on what is in them. */
const text = {
  requestStream: false,
  responseStream: false,
  requestSerialize: (message: string) => Buffer.from(message),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (message: string) => Buffer.from(message),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};

/** One method of each kind. */
export const service = {
  unary: { ...text, path: '/test.Echo/Unary' },
  serverStream: { ...text, path: '/test.Echo/ServerStream', responseStream: true },
  clientStream: { ...text, path: '/test.Echo/ClientStream', requestStream: true },
  bidi: { ...text, path: '/test.Echo/Bidi', requestStream: true, responseStream: true },
} satisfies grpc.ServiceDefinition;

export const EchoClient: grpc.ServiceClientConstructor = grpc.makeGenericClientConstructor(
  service,
  'Echo',
);

/** A server of gRPC whose answers begin with its name. */
export class GrpcServer {
  readonly name: string;
  readonly server = new grpc.Server();
  port = 0;
  callCount = 0;
  cancelledCount = 0;
  /** Calls that wait for {@link release}. */
  readonly #held: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
    this.server.addService(service, {
      unary: this.#unary,
      serverStream: this.#serverStream,
      clientStream: this.#clientStream,
      bidi: this.#bidi,
    });
  }

  async listen(port = 0): Promise<this> {
    this.port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(
        `127.0.0.1:${port}`,
        grpc.ServerCredentials.createInsecure(),
        (error, bound) => (error === null ? resolve(bound) : reject(error)),
      );
    });
    return this;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  /** At once: calls under way break. */
  kill(): void {
    this.server.forceShutdown();
  }

  /** Clients are sent away; calls under way finish. */
  leave(): Promise<void> {
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()));
  }

  readonly #unary = (
    call: grpc.ServerUnaryCall<string, string>,
    answer: grpc.sendUnaryData<string>,
  ): void => {
    this.callCount++;
    call.on('cancelled', () => this.cancelledCount++);
    const { request, metadata } = call;
    const [word = '', rest = ''] = request.split(' ');
    const trailer = new grpc.Metadata();
    trailer.set('x-trailer', 'after');
    switch (word) {
      case 'fail':
        answer({ code: Number(rest), details: `wanted: ${rest} ü%` });
        return;
      case 'hang':
        return;
      case 'hold':
        this.#held.push(() => answer(null, `${this.name} held`));
        return;
      default: {
        const head = new grpc.Metadata();
        head.set('x-head', String(metadata.get('x-asked')[0] ?? ''));
        call.sendMetadata(head);
        answer(null, `${this.name}: ${request}`, trailer);
      }
    }
  };

  readonly #serverStream = (call: grpc.ServerWritableStream<string, string>): void => {
    this.callCount++;
    const count = Number(call.request);
    for (let at = 0; at < count; at++) call.write(`${this.name} ${at}`);
    if (count >= 0) call.end();
    else call.write('begun');
    call.on('cancelled', () => this.cancelledCount++);
  };

  readonly #clientStream = (
    call: grpc.ServerReadableStream<string, string>,
    answer: grpc.sendUnaryData<string>,
  ): void => {
    this.callCount++;
    let length = 0;
    call.on('data', (message: string) => (length += message.length));
    call.on('end', () => answer(null, `${this.name} ${length}`));
  };

  readonly #bidi = (call: grpc.ServerDuplexStream<string, string>): void => {
    this.callCount++;
    call.on('data', (message: string) => call.write(`${this.name} ${message}`));
    call.on('end', () => call.end());
    call.on('cancelled', () => this.cancelledCount++);
  };
}

export interface CallOptions {
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface Called {
  readonly code: number;
  readonly details: string;
  readonly message: string | undefined;
  readonly head: grpc.Metadata | undefined;
  readonly trailers: grpc.Metadata | undefined;
}

type UnaryMethod = (
  message: string,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, message?: string) => void,
) => grpc.ClientUnaryCall;

/** A client over one connection. */
export class GrpcClient {
  readonly client: grpc.Client & Record<string, unknown>;

  constructor(port: number) {
    this.client = new EchoClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
    }) as unknown as grpc.Client & Record<string, unknown>;
  }

  /** Never rejects: what went wrong is in the code. */
  unary(message: string, options: CallOptions = {}): Promise<Called> {
    return this.begin(message, options).called;
  }

  begin(
    message: string,
    { deadlineMs, metadata = {} }: CallOptions = {},
  ): { readonly call: grpc.ClientUnaryCall; readonly called: Promise<Called> } {
    const fields = new grpc.Metadata();
    for (const [name, value] of Object.entries(metadata)) fields.set(name, value);
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    let head: grpc.Metadata | undefined = undefined;
    const settled = Promise.withResolvers<Called>();
    let answer: string | undefined = undefined;
    const method = (this.client['unary'] as UnaryMethod).bind(this.client);
    const call = method(message, fields, options, (_error, received) => (answer = received));
    call.on('metadata', (received) => (head = received));
    call.on('status', ({ code, details, metadata: trailers }) => {
      // The message comes with the status, before or after it.
      setImmediate(() => settled.resolve({ code, details, message: answer, head, trailers }));
    });
    return { call, called: settled.promise };
  }

  serverStream(count: number): grpc.ClientReadableStream<string> {
    const method = this.client['serverStream'] as (
      message: string,
    ) => grpc.ClientReadableStream<string>;
    return method.call(this.client, String(count));
  }

  clientStream(
    done: (error: grpc.ServiceError | null, message?: string) => void,
  ): grpc.ClientWritableStream<string> {
    const method = this.client['clientStream'] as (
      callback: typeof done,
    ) => grpc.ClientWritableStream<string>;
    return method.call(this.client, done);
  }

  bidi(): grpc.ClientDuplexStream<string, string> {
    const method = this.client['bidi'] as () => grpc.ClientDuplexStream<string, string>;
    return method.call(this.client);
  }

  close(): void {
    this.client.close();
  }
}
