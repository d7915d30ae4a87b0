/** One contender on one registry, in a process of its own, so that its CPU time and memory are nobody else's. */
import { serve } from '../../support/child.ts';
import { startOurs } from './ours.ts';
import { startPlain } from './plain.ts';
import type { RegistryName } from './registry.ts';
import type { ContenderName, Subject } from './subject.ts';

export type ClientRequest =
  /** Follows the registry, and waits until so many endpoints are known. */
  | {
      readonly kind: 'start';
      readonly contender: ContenderName;
      readonly registry: RegistryName;
      readonly port: number;
      readonly size: number;
    }
  /** Waits until an endpoint is, or is no longer, there to be picked. */
  | { readonly kind: 'expect'; readonly id: string; readonly listed: boolean }
  /** Starts to count CPU time and changes. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' };

export interface ClientReply {
  /** `performance.timeOrigin + performance.now()` when what was waited for was there. */
  readonly atMs: number;
  /** Since `begin`: CPU time of all threads, and changes delivered. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly changeCount: number;
  /** What the contender holds after a collection: heap and buffers, less what was there before. */
  readonly memoryMiB: number;
  /** Resident, as the system sees it, less what was there before. */
  readonly residentMiB: number;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

let subject: Subject | undefined;
let changeCount = 0;
let look: () => void = () => undefined;
let usedBefore = process.cpuUsage();
let beganMs = nowMs();
let memoryBefore = { live: 0, resident: 0 };

function memory(): { readonly live: number; readonly resident: number } {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { live: heapUsed + external, resident: rss };
}

/** Event by event, without polling: what is waited for is looked for whenever something has changed. */
function until(condition: () => boolean): Promise<number> {
  return new Promise((resolve) => {
    look = () => {
      const atMs = nowMs();
      if (!condition()) return;
      look = () => undefined;
      resolve(atMs);
    };
    look();
  });
}

async function answer(request: ClientRequest): Promise<ClientReply> {
  let atMs = nowMs();
  switch (request.kind) {
    case 'start': {
      const { contender, registry, port, size } = request;
      memoryBefore = memory();
      const onChange = (): void => {
        changeCount += 1;
        look();
      };
      const start = contender === 'plain' ? startPlain : startOurs;
      subject = await start({ registry, port, onChange });
      atMs = await until(() => (subject?.size() ?? 0) >= size);
      break;
    }
    case 'expect':
      atMs = await until(() => subject?.has(request.id) === request.listed);
      break;
    case 'begin':
      changeCount = 0;
      beganMs = nowMs();
      usedBefore = process.cpuUsage();
      break;
    case 'end':
      break;
  }
  const used = process.cpuUsage(usedBefore);
  const wallMs = nowMs() - beganMs;
  const after = request.kind === 'end' ? memory() : memoryBefore;
  return {
    atMs,
    cpuMs: (used.user + used.system) / 1_000,
    wallMs,
    changeCount,
    memoryMiB: (after.live - memoryBefore.live) / 2 ** 20,
    residentMiB: (after.resident - memoryBefore.resident) / 2 ** 20,
  };
}

serve(answer);
