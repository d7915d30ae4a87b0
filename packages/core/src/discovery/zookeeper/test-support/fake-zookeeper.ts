import type { Scheduler, Timer } from '../../../runtime/scheduler.ts';
import { discoveryError } from '../../discovery-error.ts';
import type { ConnectionListener, Node } from '../client/connection.ts';
import type { LibraryEvent } from '../client/library.ts';
import { ZookeeperRefusal } from '../client/zookeeper-error.ts';
import type { Link, LinkMaker } from '../zookeeper-source.ts';

type OnEvent = (event: LibraryEvent) => void;

const NO_NODE = -101;
const PING_MS = 5_000;
const ignore = (): void => undefined;

/** One folder of nodes, served to any number of connections; watches fire once, as real ones do. */
export class FakeZookeeper implements LinkMaker {
  scheduler: Scheduler | undefined;
  broken = false;
  connectCount = 0;
  /** Questions of all kinds. */
  questionCount = 0;
  mostUnderWay = 0;
  underWay = 0;
  readonly path: string;
  readonly nodes = new Map<string, Node>();
  readonly links = new Set<FakeLink>();
  #transaction = 0n;

  constructor(path: string) {
    this.path = path;
  }

  /** Data by name: what is not there is removed. */
  list(nodes: ReadonlyMap<string, string>): void {
    this.broken = false;
    for (const name of this.nodes.keys()) if (!nodes.has(name)) this.nodes.delete(name);
    for (const [name, data] of nodes) {
      const known = this.nodes.get(name);
      const createdAt = known?.createdAt ?? (this.#transaction += 1n);
      this.nodes.set(name, { data: Buffer.from(data), createdAt, owner: 0n });
      if (known !== undefined && String(known.data) !== data) {
        for (const link of this.links) link.fire(`${this.path}/${name}`);
      }
    }
    for (const link of this.links) link.fire(this.path);
  }

  /** Ends all connections, and gives no more of them. */
  fail(): void {
    this.broken = true;
    for (const link of this.links) link.cut();
  }

  connect(): Promise<Link> {
    this.connectCount += 1;
    if (this.broken) return Promise.reject(discoveryError('no server gives a session'));
    const link = new FakeLink(this);
    this.links.add(link);
    return Promise.resolve(link);
  }
}

class FakeLink implements Link {
  listener: ConnectionListener = { onAlive: ignore, onClosed: ignore };
  problem: Error | undefined;
  readonly readOnly = false;
  readonly quietMs = 0;
  readonly #server: FakeZookeeper;
  readonly #watches = new Map<string, Set<OnEvent>>();
  #ping: Timer | undefined;

  constructor(server: FakeZookeeper) {
    this.#server = server;
    this.#schedulePing();
  }

  takeBusyMs(): number {
    return 0;
  }

  async children(path: string, onEvent?: OnEvent): Promise<readonly string[]> {
    await this.#answer(path, onEvent);
    return [...this.#server.nodes.keys()];
  }

  async data(path: string, onEvent?: OnEvent): Promise<Node> {
    await this.#answer(path, onEvent);
    const node = this.#server.nodes.get(path.slice(this.#server.path.length + 1));
    if (node === undefined) throw new ZookeeperRefusal(path, NO_NODE);
    return node;
  }

  async exists(path: string, onEvent?: OnEvent): Promise<undefined> {
    await this.#answer(path, onEvent);
  }

  fire(path: string): void {
    const watches = [...(this.#watches.get(path) ?? [])];
    this.#watches.delete(path);
    for (const onEvent of watches) onEvent({ path, type: 3 });
    if (watches.length > 0) this.listener.onAlive();
  }

  cut(): void {
    if (this.problem !== undefined) return;
    this.problem = discoveryError('the server closed the connection');
    this.#ping?.cancel();
    this.#server.links.delete(this);
    this.listener.onClosed(this.problem);
  }

  close(): Promise<void> {
    this.cut();
    return Promise.resolve();
  }

  async #answer(path: string, onEvent: OnEvent | undefined): Promise<void> {
    const server = this.#server;
    server.questionCount += 1;
    server.underWay += 1;
    server.mostUnderWay = Math.max(server.mostUnderWay, server.underWay);
    await Promise.resolve();
    server.underWay -= 1;
    if (this.problem !== undefined) throw this.problem;
    if (onEvent === undefined) return;
    const watches = this.#watches.get(path) ?? new Set();
    this.#watches.set(path, watches.add(onEvent));
  }

  #schedulePing(): void {
    this.#ping = this.#server.scheduler?.after(PING_MS, () => {
      this.#schedulePing();
      this.listener.onAlive();
    });
  }
}
