/** The head of a request that stays after the turn that it came in: a copy, read again. One per connection. */
import { RequestHead } from '../http1/request-head.ts';
import { COMPLETE } from '../http1/verdict.ts';
import type { ClientIdentity } from './client-identity.ts';
import { RequestView } from './request-view.ts';

const NO_BYTES = Buffer.alloc(0);

export class KeptHead {
  head: RequestHead = new RequestHead();
  bytes: Buffer = NO_BYTES;

  /** @returns a view of the copy */
  keep(original: RequestHead, bytes: Buffer, identity: ClientIdentity): RequestView {
    const { from, end, limits } = original;
    if (this.head.limits !== limits) this.head = new RequestHead(limits);
    this.bytes = Buffer.from(bytes.subarray(from, end));
    if (this.head.read(this.bytes, 0, this.bytes.length) !== COMPLETE)
      throw new Error('a head that is read again differs');
    return new RequestView(this.head).show(this.bytes, identity);
  }
}
