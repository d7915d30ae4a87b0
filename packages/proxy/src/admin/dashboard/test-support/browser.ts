/** Chromium without windows, driven over its DevTools protocol. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LIMIT_MS = 15_000;

/** Those of answers that are read here. */
interface Answer {
  readonly targetId?: string;
  readonly sessionId?: string;
  readonly result?: { readonly value?: unknown };
  readonly exceptionDetails?: unknown;
}

/** The same of events. */
interface EventParams {
  readonly entry?: { readonly level: string; readonly text: string; readonly url?: string };
  readonly request?: { readonly url: string };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: EventParams;
  readonly result?: Answer;
  readonly error?: { readonly message: string };
}

export class Browser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #pages = new Map<string, Page>();
  #lastId = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data))));
  }

  static async start(command: string): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'evenkeel-browser-'));
    const flags = ['--no-sandbox', '--disable-gpu', '--remote-debugging-port=0'];
    // Whatever asks for a name finds nothing: the page has to do with what its server says.
    const offline = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';
    const args = [...flags, offline, `--user-data-dir=${profile}`, 'about:blank'];
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    const socket = new WebSocket(await addressOf(child));
    await once(socket, 'open');
    return new Browser(child, profile, socket);
  }

  async open(url: string): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const { sessionId = '' } = attached;
    const page = new Page(this, sessionId);
    this.#pages.set(sessionId, page);
    for (const domain of ['Runtime', 'Log', 'Page', 'Network'])
      await this.send(`${domain}.enable`, {}, sessionId);
    await this.send('Page.navigate', { url }, sessionId);
    return page;
  }

  async send(method: string, params: object, sessionId?: string): Promise<Answer> {
    const id = ++this.#lastId;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { result = {}, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async close(): Promise<void> {
    const exited = once(this.#process, 'exit');
    // The command may be a script that would leave the browser behind if it were killed itself.
    void this.send('Browser.close', {});
    const timer = setTimeout(() => killAll(this.#process), LIMIT_MS);
    await exited;
    clearTimeout(timer);
    this.#socket.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #receive(message: Message): void {
    if (message.id === undefined) this.#pages.get(message.sessionId ?? '')?.note(message);
    else this.#waiting.get(message.id)?.(message);
  }
}

export class Page {
  /** What went wrong in the page, as its console would say. */
  readonly errors: string[] = [];
  /** All that it asked for. */
  readonly requested: string[] = [];
  readonly #browser: Browser;
  readonly #sessionId: string;

  constructor(browser: Browser, sessionId: string) {
    this.#browser = browser;
    this.#sessionId = sessionId;
  }

  note({ method, params = {} }: Message): void {
    const { entry, request } = params;
    if (method === 'Runtime.exceptionThrown') this.errors.push(JSON.stringify(params));
    else if (entry?.level === 'error') this.errors.push(`${entry.text} ${entry.url ?? ''}`);
    else if (method === 'Network.requestWillBeSent' && request !== undefined)
      this.requested.push(request.url);
  }

  /** @param expression JavaScript; what it gives, or its promise */
  async evaluate<T = unknown>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#browser.send(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true },
      this.#sessionId,
    );
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result?.value as T;
  }

  /** Waits for a condition. @param expression looked at every few milliseconds */
  async until(expression: string): Promise<void> {
    const limit = Date.now() + LIMIT_MS;
    while ((await this.evaluate(expression)) !== true) {
      if (Date.now() > limit)
        throw new Error(
          `${expression} did not come true in: ${await this.text('body')}; ${this.errors.join()}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  text(selector: string): Promise<string> {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);
  }

  async fill(selector: string, value: string): Promise<void> {
    const element = `document.querySelector(${JSON.stringify(selector)})`;
    await this.evaluate(`${element}.value = ${JSON.stringify(value)}`);
  }

  async click(selector: string): Promise<void> {
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }
}

/** It says where it listens on its standard error. */
async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`no browser: ${said}`)), LIMIT_MS);
  child.stderr?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
    const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
    if (address !== undefined) resolve(address);
  });
  child.on('exit', () => reject(new Error(`the browser has ended: ${said}`)));
  try {
    return await promise;
  } catch (error) {
    killAll(child);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The whole group of processes, which is the browser's own. */
function killAll({ pid, exitCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL');
}
