/** Names of program sections (libbpf's conventions), the type they mean, and where such a program is attached. */
import type { AttachType, ProgramType } from '../kernel/uapi.table.ts';

export interface SectionKind {
  readonly type: ProgramType;
  readonly attachType?: AttachType;
}

export const SECTION_KINDS: Readonly<Record<string, SectionKind>> = {
  socket: { type: 'socket-filter' },
  xdp: { type: 'xdp', attachType: 'xdp' },
  tc: { type: 'tc' },
  classifier: { type: 'tc' },
  action: { type: 'tc-action' },
  syscall: { type: 'syscall' },
  sockops: { type: 'sock-ops', attachType: 'cgroup-sock-ops' },
  sk_lookup: { type: 'sk-lookup', attachType: 'sk-lookup' },
  sk_msg: { type: 'sk-msg' },
  flow_dissector: { type: 'flow-dissector', attachType: 'flow-dissector' },
  'cgroup_skb/ingress': { type: 'cgroup-skb', attachType: 'cgroup-skb-ingress' },
  'cgroup_skb/egress': { type: 'cgroup-skb', attachType: 'cgroup-skb-egress' },
  'cgroup/skb': { type: 'cgroup-skb' },
  'cgroup/sock': { type: 'cgroup-sock', attachType: 'cgroup-sock-create' },
  'cgroup/sock_create': { type: 'cgroup-sock', attachType: 'cgroup-sock-create' },
  'cgroup/sock_release': { type: 'cgroup-sock', attachType: 'cgroup-sock-release' },
  'cgroup/post_bind4': { type: 'cgroup-sock', attachType: 'cgroup-post-bind4' },
  'cgroup/post_bind6': { type: 'cgroup-sock', attachType: 'cgroup-post-bind6' },
  'cgroup/dev': { type: 'cgroup-device', attachType: 'cgroup-device' },
  'cgroup/bind4': { type: 'cgroup-sock-addr', attachType: 'cgroup-bind4' },
  'cgroup/bind6': { type: 'cgroup-sock-addr', attachType: 'cgroup-bind6' },
  'cgroup/connect4': { type: 'cgroup-sock-addr', attachType: 'cgroup-connect4' },
  'cgroup/connect6': { type: 'cgroup-sock-addr', attachType: 'cgroup-connect6' },
  'cgroup/sendmsg4': { type: 'cgroup-sock-addr', attachType: 'cgroup-sendmsg4' },
  'cgroup/sendmsg6': { type: 'cgroup-sock-addr', attachType: 'cgroup-sendmsg6' },
  'cgroup/recvmsg4': { type: 'cgroup-sock-addr', attachType: 'cgroup-recvmsg4' },
  'cgroup/recvmsg6': { type: 'cgroup-sock-addr', attachType: 'cgroup-recvmsg6' },
  'cgroup/getpeername4': { type: 'cgroup-sock-addr', attachType: 'cgroup-getpeername4' },
  'cgroup/getpeername6': { type: 'cgroup-sock-addr', attachType: 'cgroup-getpeername6' },
  'cgroup/getsockname4': { type: 'cgroup-sock-addr', attachType: 'cgroup-getsockname4' },
  'cgroup/getsockname6': { type: 'cgroup-sock-addr', attachType: 'cgroup-getsockname6' },
  'cgroup/sysctl': { type: 'cgroup-sysctl', attachType: 'cgroup-sysctl' },
  'cgroup/getsockopt': { type: 'cgroup-sockopt', attachType: 'cgroup-getsockopt' },
  'cgroup/setsockopt': { type: 'cgroup-sockopt', attachType: 'cgroup-setsockopt' },
};

/** What a section's name says; `xdp/anything` means the same as `xdp` where the kind has no parts of its own. */
export function sectionKind(name: string): SectionKind | undefined {
  const exact = SECTION_KINDS[name];
  if (exact !== undefined) return exact;
  const [head = ''] = name.split('/');
  return ['xdp', 'tc', 'sk_lookup', 'syscall'].includes(head) ? SECTION_KINDS[head] : undefined;
}
