import { EvenkeelError } from '../../../error/evenkeel-error.ts';

/** What a server says no with, as far as it matters here. */
export type RefusalReason = 'no-node' | 'no-auth' | 'node-exists' | 'bad-version' | 'other';

/** Codes of ZooKeeper, `KeeperException.Code`. */
const REASONS: ReadonlyMap<number, RefusalReason> = new Map([
  [-101, 'no-node'],
  [-102, 'no-auth'],
  [-103, 'bad-version'],
  [-110, 'node-exists'],
]);

const WORDS: Readonly<Record<RefusalReason, string>> = {
  'no-node': 'does not exist',
  'no-auth': 'access denied (does the ACL allow it to our digest?)',
  'bad-version': 'changed in the meantime',
  'node-exists': 'exists',
  other: 'refused',
};

/** A server answered, and said no. The connection is as good as before. */
export class ZookeeperRefusal extends EvenkeelError {
  readonly reason: RefusalReason;

  constructor(path: string, code: number) {
    const reason = REASONS.get(code) ?? 'other';
    const detail = reason === 'other' ? ` with ${code}` : '';
    super('EVENKEEL_DISCOVERY', `${path}: ${WORDS[reason]}${detail}`, { retryable: true });
    this.reason = reason;
  }
}

/** The session that was to be resumed is over, and its ephemeral nodes are gone. */
export class SessionExpired extends EvenkeelError {
  constructor() {
    super('EVENKEEL_DISCOVERY', 'the session has expired', { retryable: true });
  }
}

export function isRefusal(error: unknown, reason: RefusalReason): error is ZookeeperRefusal {
  return error instanceof ZookeeperRefusal && error.reason === reason;
}
