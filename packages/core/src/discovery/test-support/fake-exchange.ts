import { discoveryError } from '../discovery-error.ts';
import type { Exchange, ExchangeRequest } from '../dns/exchange.ts';
import { formatServer } from '../dns/server.ts';
import { readQuery, type WireMessage, type WireRecord, writeMessage } from './dns-wire.ts';

export interface AskedQuery {
  readonly server: string;
  readonly protocol: 'udp' | 'tcp';
  readonly name: string;
  readonly type: number;
  readonly hasOpt: boolean;
  readonly timeoutMs: number;
}

/** What a fake server does with a query: answers it, fails the exchange with a reason, or stays silent until aborted. */
export type FakeAnswer = WireMessage | string | 'silence';
export type FakeHandler = (query: AskedQuery) => FakeAnswer;

/** An exchange without a network. Answers pass through the real decoder. */
export class FakeExchange {
  readonly asked: AskedQuery[] = [];
  handler: FakeHandler;
  /** Exchanges that have not ended. */
  openCount = 0;

  constructor(handler: FakeHandler) {
    this.handler = handler;
  }

  readonly exchange: Exchange = (request) => {
    const { id, ...question } = readQuery(request.query);
    const { protocol, server, timeoutMs } = request;
    const query = { ...question, protocol, server: formatServer(server), timeoutMs };
    this.asked.push(query);
    const answer = this.handler(query);
    if (answer === 'silence') return this.#hang(request);
    if (typeof answer === 'string') return Promise.reject(discoveryError(answer));
    const bytes = writeMessage({ id, question: { name: query.name, type: query.type }, ...answer });
    return Promise.resolve().then(() => {
      const message = request.accept(bytes);
      if (message === undefined) throw discoveryError('passed over');
      return message;
    });
  };

  #hang({ signal }: ExchangeRequest): Promise<never> {
    this.openCount += 1;
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.openCount -= 1;
        reject(discoveryError('closed'));
      });
    });
  }
}

/** A handler that serves these records, and NODATA or NXDOMAIN for the rest. */
export function zone(
  records: readonly WireRecord[],
  additionals: readonly WireRecord[] = [],
): FakeHandler {
  return ({ name, type }) => {
    const sameName = records.filter((record) => record.name === name);
    return {
      answers: sameName.filter((record) => record.type === type),
      additionals,
      responseCode: sameName.length > 0 ? 0 : 3,
    };
  };
}
