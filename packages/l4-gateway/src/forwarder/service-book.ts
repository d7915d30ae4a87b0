/** The VIPs of a forwarder: by name, with the entries that several of them share. */
import { BpfError } from '@evenkeel/bpf';
import { wrong } from './address.ts';
import { VipFlag } from './generated/forwarder.ts';
import { Service, type ServiceState, type ServiceTables } from './service.ts';
import { type ParsedVip, parseVip, type Vip } from './vip.ts';
import type { ParsedVipOptions } from './vip-options.ts';

export class ServiceBook {
  readonly #tables: ServiceTables;
  readonly #services = new Map<string, Service>();
  /** Numbers of VIPs that are free; one is used again as late as possible. */
  readonly #numbers: number[];

  /** @param size numbers in the program's tables; 0 means nobody */
  constructor(size: number, tables: ServiceTables) {
    this.#tables = tables;
    this.#numbers = Array.from({ length: size - 1 }, (_, index) => index + 1);
  }

  get size(): number {
    return this.#services.size;
  }

  all(): IterableIterator<Service> {
    return this.#services.values();
  }

  /** @throws ConfigError for a VIP that nobody has added */
  get(vip: Vip): Service {
    const { name } = parseVip(vip);
    const service = this.#services.get(name);
    if (service !== undefined) return service;
    throw wrong('vip', `a VIP that was added (${[...this.#services.keys()].join(', ')})`, name);
  }

  /**
   * @throws ConfigError for a VIP that is there already
   * @throws BpfError `EVENKEEL_BPF_LIMIT` when there is no room
   */
  add(parsed: ParsedVip, state: ServiceState): void {
    if (this.#services.has(parsed.name)) throw wrong('vip', 'a VIP that is new', parsed.name);
    this.#assertFragments(parsed, state.options);
    const number = this.#numbers.shift();
    if (number === undefined) throw new BpfError('EVENKEEL_BPF_LIMIT', 'no room for another VIP');
    const service = new Service(parsed, number, this.#tables);
    try {
      service.apply(state);
    } catch (error) {
      this.#numbers.push(number);
      throw error;
    }
    this.#services.set(parsed.name, service);
    this.#nameAddress(parsed);
  }

  configure(service: Service, options: ParsedVipOptions): void {
    this.#assertFragments(service.parsed, options);
    service.apply({ ...service.state, options });
    this.#nameAddress(service.parsed);
  }

  remove(service: Service): void {
    service.remove();
    this.#services.delete(service.parsed.name);
    this.#numbers.push(service.number);
    this.#nameAddress(service.parsed);
  }

  /** @throws ConfigError when another VIP takes the fragments of this address and protocol */
  #assertFragments(parsed: ParsedVip, { flags }: ParsedVipOptions): void {
    if ((flags & VipFlag.VIP_THREE_TUPLE) === 0) return;
    const name = nameOfFragments(parsed);
    for (const other of this.#services.values()) {
      if (other.parsed.name === parsed.name || nameOfFragments(other.parsed) !== name) continue;
      if ((other.state.options.flags & VipFlag.VIP_THREE_TUPLE) === 0) continue;
      throw wrong('fragments', `one VIP with them, which is ${other.parsed.name}`, parsed.name);
    }
  }

  /** The address as such, for packets without ports: what all its VIPs together say. */
  #nameAddress({ address, bits }: ParsedVip): void {
    const { directory } = this.#tables;
    const sharing = [...this.#services.values()].filter(
      ({ parsed }) => parsed.address.text === address.text && parsed.bits === bits,
    );
    const entry = { kind: 'address', address, bits, port: 0, protocol: 0 } as const;
    const [first] = sharing;
    if (first === undefined) {
      directory.delete(entry);
      return;
    }
    const flags = sharing.reduce((sum, { state }) => sum | state.options.flags, 0);
    directory.set(entry, { number: first.number, ring: 0, flags });
  }
}

function nameOfFragments({ address, bits, protocol }: ParsedVip): string {
  return `${address.text}/${bits} ${protocol}`;
}
