/** The guard's tables: access lists, limits of sources and of VIPs. */
import type { BpfMap } from '@evenkeel/bpf';
import { wrong } from './address.ts';
import {
  Access,
  type AccessKey,
  GuardBit,
  type Limits as LimitsRecord,
} from './generated/forwarder.ts';
import { NO_LIMITS, type ParsedGuard, type ParsedRules } from './guard-options.ts';
import type { IpPrefix } from './prefix.ts';

export interface GuardMaps {
  readonly access4: BpfMap<AccessKey, number>;
  readonly access6: BpfMap<AccessKey, number>;
  readonly vipLimits: BpfMap<number, LimitsRecord>;
}

/** Variables of the program. */
export interface GuardVariables {
  setBits(bits: number): void;
  setSourceLimits(limits: LimitsRecord): void;
}

export class Guard {
  readonly #maps: GuardMaps;
  readonly #variables: GuardVariables;
  readonly #options: ParsedGuard;
  #access: ReadonlyMap<string, { readonly prefix: IpPrefix; readonly access: number }> = new Map();
  #ruleBits = 0;
  readonly #limitedVips = new Set<number>();

  constructor(maps: GuardMaps, variables: GuardVariables, options: ParsedGuard) {
    this.#maps = maps;
    this.#variables = variables;
    this.#options = options;
  }

  /** Whether packets of new flows have to take the way past the guard. */
  get isOpen(): boolean {
    return this.#options.isOpen;
  }

  /**
   * Replaces all rules. New prefixes come before old ones go, so that nobody is let in, or kept out, who neither the old
   * rules nor the new ones would.
   *
   * @throws ConfigError when the forwarder was opened without a guard, or without looking at every packet
   */
  setRules(rules: ParsedRules): void {
    this.#assertCan(rules.perSource, 'rules');
    const wanted = new Map(
      [
        ...rules.deny.map((prefix) => ({ prefix, access: Access.ACCESS_DENY })),
        ...rules.allow.map((prefix) => ({ prefix, access: Access.ACCESS_ALLOW })),
      ].map((entry) => [entry.prefix.text, entry] as const),
    );
    for (const { prefix, access } of wanted.values())
      this.#mapOf(prefix).update(key(prefix), access);
    this.#variables.setSourceLimits(rules.perSource);
    let bits = wanted.size > 0 || rules.isOnlyAllowed ? GuardBit.GUARD_ACCESS : 0;
    if (rules.isOnlyAllowed) bits |= GuardBit.GUARD_ONLY_ALLOWED;
    if (isLimiting(rules.perSource)) bits |= GuardBit.GUARD_SOURCES;
    this.#ruleBits = bits;
    this.#tell();
    for (const [text, { prefix }] of this.#access) {
      if (!wanted.has(text)) this.#mapOf(prefix).delete(key(prefix));
    }
    this.#access = wanted;
  }

  /** @throws ConfigError when the forwarder was opened without what these limits need */
  assertVip(limits: LimitsRecord): void {
    if (isLimiting(limits)) this.#assertCan(limits, 'limits');
  }

  /** Of a VIP by its number; {@link assertVip} has been asked. */
  setVip(number: number, limits: LimitsRecord): void {
    const isLimited = isLimiting(limits);
    if (isLimited === this.#limitedVips.has(number) && !isLimited) return;
    this.#maps.vipLimits.update(number, limits);
    if (isLimited) this.#limitedVips.add(number);
    else this.#limitedVips.delete(number);
    this.#tell();
  }

  removeVip(number: number): void {
    this.setVip(number, NO_LIMITS);
  }

  #tell(): void {
    this.#variables.setBits(
      this.#ruleBits | (this.#limitedVips.size > 0 ? GuardBit.GUARD_VIPS : 0),
    );
  }

  #assertCan({ packets }: LimitsRecord, path: string): void {
    if (!this.#options.isOpen) throw wrong(path, 'none unless the forwarder has `guard`', 'some');
    if (packets.interval > 0n && !this.#options.isInspecting) {
      throw wrong(`${path}.packets`, 'none unless `guard.everyPacket`', 'a limit');
    }
  }

  #mapOf({ address }: IpPrefix): BpfMap<AccessKey, number> {
    return address.family === 4 ? this.#maps.access4 : this.#maps.access6;
  }
}

function key({ address, bits }: IpPrefix): AccessKey {
  return { bits, address: address.bytes };
}

function isLimiting({ packets, flows }: LimitsRecord): boolean {
  return packets.interval > 0n || flows.interval > 0n;
}
