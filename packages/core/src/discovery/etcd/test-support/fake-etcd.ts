import type {
  HttpAnswer,
  HttpRequest,
  HttpStream,
  StreamingHttpPort,
  StreamListener,
} from '../../http/http-port.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** One member of etcd with one prefix, whose values are its keys' names: just enough of it to be read and watched. */
export class FakeEtcd implements StreamingHttpPort {
  readonly #prefix: string;
  readonly #keys = new Map<string, string>();
  /** What becomes of a watch: refused as without a leader, or never confirmed. */
  watchMode: 'works' | 'refused' | 'silent' = 'works';
  /** Called when a watch has been confirmed, before anybody has heard of it. */
  onOpen: () => void = () => undefined;
  readCount = 0;
  openCount = 0;
  readonly #streams = new Set<StreamListener>();
  /** Events by revision. */
  readonly #history = new Map<number, readonly object[]>();
  #revision = 1;
  #isBroken = false;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Holds these from now on, and tells those who watch. */
  list(values: readonly string[]): void {
    this.#isBroken = false;
    this.#revision += 1;
    const revision = String(this.#revision);
    const gone = [...this.#keys.keys()].filter((value) => !values.includes(value));
    const fresh = values.filter((value) => !this.#keys.has(value));
    for (const value of gone) this.#keys.delete(value);
    for (const value of fresh) this.#keys.set(value, revision);
    const events = [
      ...gone.map((value) => ({
        type: 'DELETE',
        kv: { key: base64(this.#prefix + value), mod_revision: revision },
      })),
      ...fresh.map((value) => ({ kv: this.#keyValue(value) })),
    ];
    this.#history.set(this.#revision, events);
    if (events.length > 0) for (const stream of this.#streams) this.#tell(stream, { events });
  }

  fail(): void {
    this.#isBroken = true;
    const streams = [...this.#streams];
    this.#streams.clear();
    for (const stream of streams) stream.onEnd('the stream was cut off');
  }

  send({ signal }: HttpRequest): Promise<HttpAnswer> {
    if (this.#isBroken || signal.aborted) return Promise.reject(new Error('ECONNREFUSED'));
    this.readCount += 1;
    const kvs = [...this.#keys.keys()].sort().map((value) => this.#keyValue(value));
    const answer = { header: this.#header(), kvs, count: String(kvs.length) };
    return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(answer)) });
  }

  open({ signal, body = '' }: HttpRequest, listener: StreamListener): Promise<HttpStream> {
    if (this.#isBroken || signal.aborted) return Promise.reject(new Error('ECONNREFUSED'));
    this.openCount += 1;
    this.#streams.add(listener);
    const close = (): void => void this.#streams.delete(listener);
    signal.addEventListener('abort', close, { once: true });
    if (this.watchMode === 'refused') {
      this.#streams.delete(listener);
      listener.onHead(503);
      listener.onData(Buffer.from('{"error":{"grpc_code":14,"message":"no leader"}}'));
      listener.onEnd('the stream has ended');
      return Promise.resolve({ close });
    }
    listener.onHead(200);
    if (this.watchMode === 'silent') return Promise.resolve({ close });
    this.#tell(listener, { created: true });
    const { create_request: create } = JSON.parse(body) as {
      create_request: { start_revision: string };
    };
    for (const [revision, events] of this.#history) {
      const isMissed = revision >= Number(create.start_revision) && events.length > 0;
      if (isMissed) this.#tell(listener, { events });
    }
    this.onOpen();
    return Promise.resolve({ close });
  }

  close(): void {
    this.#streams.clear();
  }

  #tell(listener: StreamListener, result: object): void {
    listener.onData(
      Buffer.from(`${JSON.stringify({ result: { header: this.#header(), ...result } })}\n`),
    );
  }

  #header(): object {
    return { cluster_id: '1', member_id: '2', revision: String(this.#revision), raft_term: '2' };
  }

  #keyValue(value: string): object {
    return {
      key: base64(this.#prefix + value),
      value: base64(value),
      mod_revision: this.#keys.get(value),
    };
  }
}
