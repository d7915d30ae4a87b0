import { pinFolder, readOwner, removePins } from '../forwarder/pinned-state.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { GATEWAY_OPTIONS, gatewayName } from './status.ts';

/** `evenkeel-gateway detach` */
export const detachCommand: Command = {
  name: 'detach',
  summary: 'end what a gateway that is gone left in the kernel',
  options: GATEWAY_OPTIONS,
  run: async (values, io) => {
    const name = await gatewayName(values);
    const folder = pinFolder(name);
    const owner = readOwner(folder);
    if (owner?.alive === true) {
      io.error(`evenkeel-gateway detach: process ${owner.pid} runs gateway "${name}": stop that\n`);
      return EXIT.failed;
    }
    const found = removePins(folder);
    io.out(found ? `gateway "${name}" is detached\n` : `nothing of a gateway "${name}" is there\n`);
    return EXIT.ok;
  },
};
