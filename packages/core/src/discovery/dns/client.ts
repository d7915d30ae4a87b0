import { randomInt } from 'node:crypto';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { discoveryError } from '../discovery-error.ts';
import { createAcceptor, type Question } from './accept.ts';
import type { Exchange } from './exchange.ts';
import { type DnsMessage, ResponseCode, responseCodeName } from './message.ts';
import { encodeQuery } from './query.ts';
import { recordTypeName } from './record-data.ts';
import { type DnsServer, formatServer } from './server.ts';

/** Rounds over all servers before a query is given up, as in resolv.conf(5) `attempts`. */
const ROUNDS = 2;

/** Limits shared by all the queries of one look. */
export interface QueryLimits {
  /** Clock time at which everything ends. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface DnsClientOptions {
  /** Read for every query, so that a change of the system's servers is followed. */
  readonly servers: () => readonly DnsServer[];
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** How long one server has for one answer. */
  readonly tryTimeoutMs: number;
}

/**
 * Asks name servers: one after the other until one of them answers, beginning with the one that answered last. An answer is
 * NOERROR or NXDOMAIN; SERVFAIL, REFUSED, silence and garbage move on to the next server.
 */
export class DnsClient {
  readonly #options: DnsClientOptions;
  #preferred = 0;

  constructor(options: DnsClientOptions) {
    this.#options = options;
  }

  /**
   * @returns an answer to this very question, over TCP if it was too long for UDP
   * @throws EvenkeelError `EVENKEEL_DISCOVERY` that names what each server did
   */
  async query(question: Question, limits: QueryLimits): Promise<DnsMessage> {
    const servers = this.#options.servers();
    if (servers.length === 0) throw discoveryError('no name server is configured');
    const failures = new Map<string, string>();
    const first = this.#preferred;
    for (let attempt = 0; attempt < servers.length * ROUNDS; attempt += 1) {
      const index = (first + attempt) % servers.length;
      const server = servers[index] as DnsServer;
      if (this.#remainingMs(limits) <= 0 || limits.signal.aborted) break;
      try {
        const message = await this.#ask(server, question, limits);
        this.#preferred = index;
        return message;
      } catch (error) {
        failures.set(formatServer(server), messageOf(error));
      }
    }
    const told = [...failures].map(([server, reason]) => `${server} ${reason}`);
    const reasons = told.length > 0 ? told.join('; ') : 'no time left to ask';
    throw discoveryError(`${recordTypeName(question.type)} ${question.name}: ${reasons}`);
  }

  async #ask(server: DnsServer, question: Question, limits: QueryLimits): Promise<DnsMessage> {
    let message = await this.#exchange({ server, protocol: 'udp', question, limits, edns: true });
    // A server from before EDNS(0) says FORMERR or NOTIMP (RFC 6891 section 7); it is asked in its own language.
    const refusesEdns =
      message.responseCode === ResponseCode.formatError ||
      message.responseCode === ResponseCode.notImplemented ||
      message.responseCode === ResponseCode.badVersion;
    const edns = !refusesEdns;
    if (refusesEdns) {
      message = await this.#exchange({ server, protocol: 'udp', question, limits, edns });
    }
    if (message.truncated) {
      message = await this.#exchange({ server, protocol: 'tcp', question, limits, edns });
      // Its records were not read, so it must not pass for an empty answer.
      if (message.truncated) throw discoveryError('answers truncated even over TCP');
    }
    if (
      message.responseCode !== ResponseCode.noError &&
      message.responseCode !== ResponseCode.nameError
    ) {
      throw discoveryError(`answers ${responseCodeName(message.responseCode)}`);
    }
    return message;
  }

  #exchange({ server, protocol, question, limits, edns }: Attempt): Promise<DnsMessage> {
    // Not from the runtime's generator: whoever can predict the id can forge an answer (RFC 5452 section 4.4).
    const id = randomInt(0x1_0000);
    return this.#options.exchange({
      server,
      protocol,
      query: encodeQuery({ ...question, id, edns }),
      timeoutMs: Math.max(1, Math.min(this.#options.tryTimeoutMs, this.#remainingMs(limits))),
      signal: limits.signal,
      accept: createAcceptor(id, question),
    });
  }

  #remainingMs({ deadlineMs }: QueryLimits): number {
    return deadlineMs - this.#options.clock.nowMs();
  }
}

interface Attempt {
  readonly server: DnsServer;
  readonly protocol: 'udp' | 'tcp';
  readonly question: Question;
  readonly limits: QueryLimits;
  readonly edns: boolean;
}
