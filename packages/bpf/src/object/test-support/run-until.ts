/** A thread that runs a program over and over, until it is told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { isBpfError, openKernel, Program } from '../../index.ts';

const { fd, stop } = workerData as { readonly fd: number; readonly stop: Int32Array };
const program = new Program(openKernel(), { name: 'check_table', type: 'xdp' }, fd);

parentPort?.postMessage('ready');
while (Atomics.load(stop, 0) === 0) {
  try {
    program.testRun({ data: new Uint8Array(64), repeat: 10_000 });
  } catch (error) {
    // A signal ends a long run early.
    if (!isBpfError(error) || error.errnoName !== 'EINTR') throw error;
  }
}
