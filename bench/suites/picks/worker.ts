/** A process that measures what its parent asks for, one thing at a time. */
import { type Measurement, prepare, type Timing } from './measurement.ts';

export type WorkerRequest =
  | {
      readonly kind: 'prepare';
      readonly figure: string;
      readonly measurement: Measurement;
      readonly timing: Timing;
    }
  | { readonly kind: 'measure'; readonly figure: string };

export type WorkerReply =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'sample'; readonly value: number }
  | { readonly kind: 'failed'; readonly message: string };

const samplers = new Map<string, () => number>();

function answer(request: WorkerRequest): WorkerReply {
  switch (request.kind) {
    case 'prepare':
      samplers.set(request.figure, prepare(request.measurement, request.timing));
      return { kind: 'prepared' };
    case 'measure':
      return { kind: 'sample', value: samplers.get(request.figure)?.() ?? Number.NaN };
  }
}

process.on('message', (request: WorkerRequest) => {
  let reply: WorkerReply;
  try {
    reply = answer(request);
  } catch (error) {
    reply = { kind: 'failed', message: String(error instanceof Error ? error.stack : error) };
  }
  process.send?.(reply);
});
process.on('disconnect', () => process.exit());
