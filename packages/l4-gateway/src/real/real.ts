/** Makes a machine a real: VIPs on `lo`, answers to ARP, reverse path filter, and the programs that take headers off. */
import { parsePrefix, type IpPrefix } from '../forwarder/prefix.ts';
import { type Change, ChangeRecord, undoLeftOver } from './change-record.ts';
import { Decapsulator, type DecapsulationCounts } from './decapsulator.ts';
import { isAddress, readInterface, readSetting } from './host.ts';
import {
  assertInterface,
  DEFAULT_STATE_FOLDER,
  type ParsedRealOptions,
  parseRealOptions,
  type RealOptions,
} from './options.ts';
import { RealError } from './real-error.ts';
import { measureRoom } from './room.ts';

/** A machine that serves VIPs, until it is closed. */
export interface RealSetup {
  /** Where the outer header is taken off. */
  readonly hook: 'xdp' | 'tc';
  /** What was changed, and will be undone. */
  readonly changes: readonly Change[];
  /** What will not work, and the command that cures it. */
  readonly warnings: readonly string[];
  statistics(): DecapsulationCounts;
  /** Detaches and undoes every change. Idempotent. @returns what could not be undone, and why */
  close(): readonly string[];
}

/**
 * Sets up this machine, in the network namespace of the calling thread. All or nothing: on an error, what was changed is
 * undone. Needs root, iproute2, and Linux 5.9; `tc` and `mss` need 6.6.
 *
 * What a crash leaves behind is undone by the next call for the same interface, or by {@link undoReal}.
 *
 * @throws ConfigError for wrong options
 * @throws RealError when the machine cannot be set up
 * @throws BpfError when a program cannot be loaded or attached
 */
export function setUpReal(options: RealOptions): RealSetup {
  const parsed = parseRealOptions(options);
  const { mtu, addresses } = lookAt(parsed);
  const room = measureRoom(parsed, { mtu, addresses });
  const record = ChangeRecord.open({ folder: parsed.stateFolder, interface: parsed.interface });
  let decapsulator: Decapsulator | undefined;
  try {
    decapsulator = new Decapsulator({ ...parsed, addresses, largestMss: room.largestMss });
    // The rules for ARP before the VIPs, or this machine would claim them on the network.
    applySettings(record, parsed);
    for (const vip of parsed.vips) record.addLocal(vip);
    const hook = decapsulator.attach(parsed);
    return handle({ decapsulator, record, hook, warning: room.warning });
  } catch (error) {
    decapsulator?.close();
    record.undo();
    throw error;
  }
}

/**
 * Undoes what a crashed process left behind at an interface.
 *
 * @returns undefined when there is nothing; else what could not be undone
 * @throws RealError while the process that set it up is running
 */
export function undoReal(
  options: Pick<RealOptions, 'interface' | 'stateFolder'>,
): readonly string[] | undefined {
  const { interface: name, stateFolder: folder = DEFAULT_STATE_FOLDER } = options;
  assertInterface(name);
  return undoLeftOver({ folder, interface: name });
}

interface Parts {
  readonly decapsulator: Decapsulator;
  readonly record: ChangeRecord;
  readonly hook: 'xdp' | 'tc';
  readonly warning: string | undefined;
}

function handle({ decapsulator, record, hook, warning }: Parts): RealSetup {
  let isOpen = true;
  return {
    hook,
    changes: [...record.changes],
    warnings: warning === undefined ? [] : [warning],
    statistics: () => decapsulator.statistics(),
    close: () => {
      if (!isOpen) return [];
      isOpen = false;
      decapsulator.close();
      return record.undo();
    },
  };
}

function lookAt(options: ParsedRealOptions): { mtu: number; addresses: readonly IpPrefix[] } {
  const { mtu, isUp, addresses } = readInterface(options.interface);
  if (!isUp) throw isDown(options.interface);
  if (!readInterface('lo').isUp) throw isDown('lo');
  const own = options.addresses ?? addresses.map(({ text }) => parsePrefix(text, 'address'));
  // A VIP on the interface itself is no address that gateways send to.
  const vips = new Set(options.vips.map(({ text }) => text));
  const outer = own.filter(({ text }) => !vips.has(text));
  if (outer.length > 0) return { mtu, addresses: outer };
  throw new RealError(
    `${options.interface} has no address that gateways could send to: give it one, or name it (addresses)`,
  );
}

function isDown(name: string): RealError {
  return new RealError(`interface ${name} is down (ip link set dev ${name} up)`);
}

/**
 * What the kernel takes into account is the larger value of `all` and of the interface.
 *
 * - `arp_ignore` 1: requests for an address on `lo` are not answered; `arp_announce` 2: nor is it told in requests.
 *   For all interfaces, because any of them may be asked. Only IPv4: neighbour discovery never answers for `lo`.
 * - `rp_filter` 2 instead of 1: packets of clients come from the gateway's side, whatever the route back is.
 */
function applySettings(record: ChangeRecord, { vips, interface: name }: ParsedRealOptions): void {
  if (!vips.some(({ address }) => address.family === 4)) return;
  const effective = (setting: string): number =>
    Math.max(...['all', name].map((at) => Number(readSetting(`ipv4/conf/${at}/${setting}`))));
  if (effective('rp_filter') === 1) record.set(`ipv4/conf/${name}/rp_filter`, '2');
  if (vips.some((vip) => vip.address.family === 4 && isAddress(vip))) {
    if (effective('arp_ignore') < 1) record.set('ipv4/conf/all/arp_ignore', '1');
    if (effective('arp_announce') < 2) record.set('ipv4/conf/all/arp_announce', '2');
  }
}
