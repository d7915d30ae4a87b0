/** From the children of a node to endpoints. */
import { messageOf } from '../../error/evenkeel-error.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { discoveryError } from '../discovery-error.ts';
import { decodePayload, type PayloadRules } from './decode-payload.ts';
import type { Instance } from './instance.ts';

/** What is known of a child. */
export type Member =
  | { readonly kind: 'instance'; readonly instance: Instance; readonly createdAt: bigint }
  /** By its name or its data none of our business. */
  | { readonly kind: 'other' }
  | { readonly kind: 'wrong'; readonly problem: string };

export function decodeMember(
  name: string,
  node: { readonly data: Buffer; readonly createdAt: bigint },
  rules: PayloadRules,
): Member {
  try {
    const instance = decodePayload(name, node.data, rules);
    return instance === undefined
      ? { kind: 'other' }
      : { kind: 'instance', instance, createdAt: node.createdAt };
  } catch (error) {
    return { kind: 'wrong', problem: messageOf(error) };
  }
}

export interface DecodedMembers {
  readonly endpoints: readonly Endpoint[];
  readonly complaint: string | undefined;
}

/**
 * Puts the children together. One that makes no sense is left out, with a complaint; if none makes sense, nobody knows
 * what this is, and it is refused. Of nodes with one address the youngest counts: an instance that came back while its
 * old session lasts leaves a twin.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY`
 */
export function joinMembers(members: ReadonlyMap<string, Member>): DecodedMembers {
  const youngest = new Map<string, Member & { readonly kind: 'instance' }>();
  let wrongCount = 0;
  let firstProblem: string | undefined;
  for (const [name, member] of members) {
    if (member.kind === 'wrong') {
      wrongCount += 1;
      firstProblem ??= `${name.slice(0, 100)}: ${member.problem}`;
    }
    if (member.kind !== 'instance') continue;
    const { id } = member.instance.endpoint;
    const known = youngest.get(id);
    if (known === undefined || known.createdAt < member.createdAt) youngest.set(id, member);
  }
  const complaint =
    wrongCount === 0 ? undefined : `${wrongCount} nodes left out, the first: ${firstProblem}`;
  if (complaint !== undefined && wrongCount === members.size) throw discoveryError(complaint);
  const usable = [...youngest.values()].filter(({ instance }) => instance.usable);
  return { endpoints: usable.map(({ instance }) => instance.endpoint), complaint };
}
