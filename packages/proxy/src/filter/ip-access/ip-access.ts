/** `ipAccess`: lets requests in by the address that they come from. */
import type { z } from 'zod';
import type { Filter, FilterAnswer, FilterRequest } from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import { CidrSet } from '../../address/cidr-set.ts';
import { type IpAccessConfig, type IpAccessOptions, ipAccessSchema } from './schema.ts';

export const ipAccessKind: FilterKind<z.ZodType<IpAccessConfig, IpAccessOptions>> = {
  name: 'ipAccess',
  about: 'Who gets in by address.',
  schema: ipAccessSchema,
  create: (config) => new IpAccessFilter(config),
};

const ALLOW = 1;
const DENY = 2;

class IpAccessFilter implements Filter {
  readonly name = 'ipAccess';
  readonly #set: CidrSet;
  readonly #byPeer: boolean;
  readonly #otherwise: number;
  readonly #refusal: FilterAnswer;

  constructor({ allow, deny, by, status }: IpAccessConfig) {
    this.#set = new CidrSet([
      ...(allow ?? []).map((network) => ({ network, value: ALLOW })),
      ...deny.map((network) => ({ network, value: DENY })),
    ]);
    this.#byPeer = by === 'peer';
    this.#otherwise = allow === undefined ? ALLOW : DENY;
    this.#refusal = { status, reason: 'address-denied' };
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined {
    const address = this.#byPeer ? request.sourceAddress : request.clientAddress;
    const found = address === undefined ? 0 : this.#set.lookup(address);
    return (found === 0 ? this.#otherwise : found) === ALLOW ? undefined : this.#refusal;
  }
}
