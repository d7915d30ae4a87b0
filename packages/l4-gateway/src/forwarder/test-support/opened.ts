/** A forwarder for test runs, and what a run says. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Forwarder, ForwarderOptions } from '../../index.ts';
import { openForwarder } from '../../index.ts';
import { ROUTER_MAC } from './packets.ts';

export const VERDICTS = ['aborted', 'drop', 'pass', 'tx', 'redirect'] as const;

export interface Outcome {
  readonly verdict: (typeof VERDICTS)[number] | undefined;
  readonly data: Buffer;
}

export function openForTest(options: Partial<ForwarderOptions> = {}): Forwarder {
  return openForwarder({ nextHop: ROUTER_MAC, flowsPerCpu: 4_096, ...options });
}

export function send(forwarder: Forwarder, frame: Uint8Array): Outcome {
  const { verdict, data } = forwarder.program.testRun({ data: frame });
  return { verdict: VERDICTS[verdict], data: Buffer.from(data) };
}

/** The real that an outgoing frame is for, as bytes. */
export function realIn(frame: Uint8Array): string {
  const isIp4 = frame[12] === 0x08;
  return Buffer.from(frame.subarray(isIp4 ? 30 : 38, isIp4 ? 34 : 54)).toString('hex');
}

/** The flow cache is per CPU: a process that wanders between two runs finds another one. */
export function stayOnOneCpu(): void {
  const allowed = /^Cpus_allowed_list:\s*(\d+)/mu.exec(readFileSync('/proc/self/status', 'utf8'));
  const arguments_ = ['-cp', allowed?.[1] ?? '0', String(process.pid)];
  const { status, stderr } = spawnSync('taskset', arguments_);
  if (status !== 0) throw new Error(`taskset: ${String(stderr)}`);
}
