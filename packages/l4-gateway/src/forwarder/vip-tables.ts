import type { BpfMap } from '@evenkeel/bpf';
import type { AddressKey, Ring, Vip4Key, Vip6Key } from './generated/forwarder.ts';
import { type ParsedVip, PROTOCOL_NUMBERS } from './vip.ts';

export interface VipMaps {
  readonly vips4: BpfMap<Vip4Key, Ring>;
  readonly vips6: BpfMap<Vip6Key, Ring>;
  readonly vipAddresses: BpfMap<AddressKey, number>;
}

/** The program's tables of VIPs: by address, port and protocol, and by address alone. */
export class VipTables {
  readonly #maps: VipMaps;

  constructor(maps: VipMaps) {
    this.#maps = maps;
  }

  /** From now on every packet sees this ring, none a mixture of two. */
  publish(vip: ParsedVip, ring: Uint16Array): void {
    const value: Ring = { targets: ring };
    if (vip.address.family === 4) this.#maps.vips4.publish(key4(vip), value);
    else this.#maps.vips6.publish(key6(vip), value);
  }

  withdraw(vip: ParsedVip): void {
    if (vip.address.family === 4) this.#maps.vips4.delete(key4(vip));
    else this.#maps.vips6.delete(key6(vip));
  }

  addAddress({ address }: ParsedVip): void {
    this.#maps.vipAddresses.update({ address: address.bytes, family: address.family }, 1);
  }

  removeAddress({ address }: ParsedVip): void {
    this.#maps.vipAddresses.delete({ address: address.bytes, family: address.family });
  }
}

function key4({ address, vip }: ParsedVip): Vip4Key {
  const { port, protocol } = vip;
  return {
    address: address.bytes.subarray(0, 4),
    port,
    protocol: PROTOCOL_NUMBERS[protocol],
    spare: 0,
  };
}

function key6({ address, vip }: ParsedVip): Vip6Key {
  const { port, protocol } = vip;
  return { address: address.bytes, port, protocol: PROTOCOL_NUMBERS[protocol], spare: 0 };
}
