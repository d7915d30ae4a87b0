/** Real servers with a reporter in virtual time, and a plain client. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
  type RequestListener,
  type RequestOptions,
} from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { ManualClock } from '../../testing/manual-runtime.ts';
import type { LoadReport } from '../load-report.ts';
import { readLoadReport } from '../read-load-report.ts';
import type { LoadReporterOptions } from '../server/config.ts';
import { createLoadReporter, type Handler, type LoadReporter } from '../server/load-reporter.ts';
import { ScriptedMeter } from './scripted-meter.ts';

/** Ends what a test started. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }

  /** @returns the port */
  async listen(handler: RequestListener): Promise<number> {
    const server = createServer(handler).listen(0, '127.0.0.1');
    this.add(async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    });
    return portOf(server);
  }
}

export async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
  readonly report: LoadReport | undefined;
}

export async function ask(port: number, options: RequestOptions = {}): Promise<Answer> {
  const request = requestHttp({ host: '127.0.0.1', port, agent: false, ...options });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const body = await text(response);
  const { statusCode, headers, trailers } = response;
  const report = readLoadReport(headers) ?? readLoadReport(trailers);
  return { status: statusCode, headers, trailers, body, report };
}

/** A reporter in virtual time, of a process that uses what the test says. */
export function scripted(options: LoadReporterOptions = {}): {
  reporter: LoadReporter;
  clock: ManualClock;
  meter: ScriptedMeter;
} {
  const clock = new ManualClock();
  const meter = new ScriptedMeter(2);
  return { reporter: createLoadReporter({ clock, meter, ...options }), clock, meter };
}

export const hello: Handler = (_request, response) => response.end('hello');
