/** A request as it goes to an endpoint: kept for another try, as long as there may be one. */
import type { ByteStream } from '../socket/byte-stream.ts';
import type { Output } from '../socket/output.ts';

export class OutgoingMessage {
  /** Has body been sent that is not kept? Then there is no second try. */
  isConsumed = false;
  readonly #output: Output;
  /** The head, and the body as far as it was there with it; undefined while it is in the output alone. */
  #kept: Buffer | undefined = undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** @param bytes undefined where it is in the output @param isSentOnce then it is not kept, unless it has to wait */
  begin(bytes: Buffer | undefined, isSentOnce: boolean): void {
    this.#kept = bytes ?? (isSentOnce ? undefined : this.#output.take());
    this.isConsumed = false;
  }

  /** It does not go out in this turn. */
  keep(): void {
    this.#kept ??= this.#output.take();
  }

  get bytes(): Buffer {
    return this.#kept as Buffer;
  }

  /** The same request, worded a little differently. */
  set bytes(bytes: Buffer) {
    this.#kept = bytes;
  }

  /** @returns may more be sent at once? */
  sendTo(stream: ByteStream): boolean {
    return this.#kept === undefined ? this.#output.sendTo(stream) : stream.write(this.#kept);
  }

  /** Some body came while it waits: the output has it. */
  extend(): void {
    if (this.#kept !== undefined) this.#kept = Buffer.concat([this.#kept, this.#output.take()]);
  }

  /** The request is over. */
  forget(): void {
    this.#kept = undefined;
  }
}
