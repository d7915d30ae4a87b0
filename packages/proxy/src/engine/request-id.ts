/**
 * The id of a request: the one that a trusted peer gave it, or 128 random bits. It tells requests apart and is no secret;
 * whoever sees some ids could guess others.
 */
import type { Random } from '@evenkeel/core';

const NAME = 'x-request-id: ';
const HEX_DIGITS = 32;
const HEX: Uint8Array = Buffer.from('0123456789abcdef');
const EMPTY: Uint8Array = new Uint8Array(0);

/** Ids of others go into logs and headers: no more than anyone needs. */
const ACCEPTABLE = /^[\w.:~+/=@-]{1,128}$/;

/** One per connection: ids follow each other in the same bytes. */
export class RequestId {
  /** The whole field line; empty while there is no id. */
  line: Uint8Array = EMPTY;
  #own: Buffer | undefined = undefined;

  /** @param given what a trusted peer calls the request */
  choose(given: string | undefined, random: Random): void {
    if (given !== undefined && ACCEPTABLE.test(given))
      this.line = Buffer.from(`${NAME}${given}\r\n`, 'latin1');
    else this.#make(random);
  }

  /** Undefined while there is none. */
  get text(): string | undefined {
    const { line } = this;
    if (line.length === 0) return undefined;
    return Buffer.from(line).toString('latin1', NAME.length, line.length - 2);
  }

  #make(random: Random): void {
    const own = (this.#own ??= Buffer.from(`${NAME}${'0'.repeat(HEX_DIGITS)}\r\n`));
    let at = NAME.length;
    for (let word = 0; word < 4; word++) {
      const bits = random.nextInt32();
      for (let shift = 28; shift >= 0; shift -= 4) own[at++] = HEX[(bits >>> shift) & 15] as number;
    }
    this.line = own;
  }
}
