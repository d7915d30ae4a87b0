import type { FieldPlace, FieldWriter, Http2Stream, Http2StreamOwner } from '../http2-stream.ts';
import { NOBODY } from '../translate/detached.ts';

/** Notes what is sent on a stream, one line for each call. */
export class RecordingStream implements Http2Stream, FieldWriter {
  readonly id = 1;
  owner: Http2StreamOwner = NOBODY;
  readonly sent: string[] = [];
  consumed = 0;
  isHeld = false;
  /** What {@link sendData} says. */
  takesMore = true;
  #fields = '';

  begin(): this {
    this.#fields = '';
    return this;
  }

  beginTrailers(): this {
    return this.begin();
  }

  text(name: string, value: string): this {
    this.#fields += `${name}: ${value}; `;
    return this;
  }

  bytes(source: Buffer, place: FieldPlace): this {
    const text = (from: number, to: number): string => source.toString('latin1', from, to);
    const name = text(place.nameFrom, place.nameTo).toLowerCase();
    return this.text(name, text(place.valueFrom, place.valueTo));
  }

  sendFields(isEnd: boolean): void {
    this.sent.push(`${this.#fields.trimEnd()}${isEnd ? ' END' : ''}`);
  }

  sendData(bytes: Buffer, from: number, to: number, isEnd: boolean): boolean {
    this.sent.push(`[${bytes.toString('latin1', from, to)}]${isEnd ? ' END' : ''}`);
    return this.takesMore;
  }

  consume(byteCount: number): void {
    this.consumed += byteCount;
  }

  reset(code: number): void {
    this.sent.push(`RESET ${code}`);
  }

  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
  }

  /** All that was sent, with neighbouring data made one. */
  get joined(): string {
    return this.sent.join('\n').replaceAll(']\n[', '').replaceAll('\n[] END', ' END');
  }
}
