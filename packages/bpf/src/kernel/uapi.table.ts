/** Numbers of the kernel's interface (`enum bpf_cmd` and its neighbours). They never change. */

/** System call numbers by processor. */
export const SYS_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };

export const COMMAND = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  MAP_GET_NEXT_KEY: 4,
  PROG_LOAD: 5,
  OBJ_PIN: 6,
  OBJ_GET: 7,
  PROG_TEST_RUN: 10,
  PROG_GET_NEXT_ID: 11,
  MAP_GET_NEXT_ID: 12,
  PROG_GET_FD_BY_ID: 13,
  MAP_GET_FD_BY_ID: 14,
  OBJ_GET_INFO_BY_FD: 15,
  BTF_LOAD: 18,
  MAP_LOOKUP_AND_DELETE_ELEM: 21,
  MAP_FREEZE: 22,
  MAP_LOOKUP_BATCH: 24,
  MAP_LOOKUP_AND_DELETE_BATCH: 25,
  MAP_UPDATE_BATCH: 26,
  MAP_DELETE_BATCH: 27,
  LINK_CREATE: 28,
  LINK_UPDATE: 29,
  LINK_GET_FD_BY_ID: 30,
  LINK_GET_NEXT_ID: 31,
  LINK_DETACH: 34,
} as const;

/** `enum bpf_map_type`, by the names that generated modules use. */
export const MAP_TYPE = {
  hash: 1,
  array: 2,
  'prog-array': 3,
  'perf-event-array': 4,
  'percpu-hash': 5,
  'percpu-array': 6,
  'stack-trace': 7,
  'cgroup-array': 8,
  'lru-hash': 9,
  'lru-percpu-hash': 10,
  'lpm-trie': 11,
  'array-of-maps': 12,
  'hash-of-maps': 13,
  devmap: 14,
  sockmap: 15,
  cpumap: 16,
  xskmap: 17,
  sockhash: 18,
  'reuseport-sockarray': 20,
  queue: 22,
  stack: 23,
  'sk-storage': 24,
  'devmap-hash': 25,
  ringbuf: 27,
  'inode-storage': 28,
  'task-storage': 29,
  'bloom-filter': 30,
  'user-ringbuf': 31,
  'cgroup-storage': 32,
} as const;

/** Flags of MAP_CREATE. */
export const MAP_FLAG = {
  NO_PREALLOC: 1,
  NO_COMMON_LRU: 2,
  RDONLY_PROG: 128,
  WRONLY_PROG: 256,
  MMAPABLE: 1024,
} as const;

/** Flags of an update: whether the entry must be new, must exist, or either. */
export const UPDATE_FLAG = { any: 0n, create: 1n, replace: 2n } as const;

/** `enum bpf_prog_type`. */
export const PROGRAM_TYPE = {
  'socket-filter': 1,
  kprobe: 2,
  tc: 3,
  'tc-action': 4,
  tracepoint: 5,
  xdp: 6,
  'cgroup-skb': 8,
  'cgroup-sock': 9,
  'sock-ops': 13,
  'sk-skb': 14,
  'cgroup-device': 15,
  'sk-msg': 16,
  'raw-tracepoint': 17,
  'cgroup-sock-addr': 18,
  'lwt-seg6local': 19,
  'sk-reuseport': 21,
  'flow-dissector': 22,
  'cgroup-sysctl': 23,
  'cgroup-sockopt': 25,
  tracing: 26,
  extension: 28,
  'sk-lookup': 30,
  syscall: 31,
} as const;

/** `enum bpf_attach_type`, for what this package attaches. */
export const ATTACH_TYPE = {
  'cgroup-skb-ingress': 0,
  'cgroup-skb-egress': 1,
  'cgroup-sock-create': 2,
  'cgroup-sock-ops': 3,
  'cgroup-device': 6,
  'cgroup-bind4': 8,
  'cgroup-bind6': 9,
  'cgroup-connect4': 10,
  'cgroup-connect6': 11,
  'cgroup-post-bind4': 12,
  'cgroup-post-bind6': 13,
  'cgroup-sendmsg4': 14,
  'cgroup-sendmsg6': 15,
  'flow-dissector': 17,
  'cgroup-sysctl': 18,
  'cgroup-recvmsg4': 19,
  'cgroup-recvmsg6': 20,
  'cgroup-getsockopt': 21,
  'cgroup-setsockopt': 22,
  'cgroup-getpeername4': 29,
  'cgroup-getpeername6': 30,
  'cgroup-getsockname4': 31,
  'cgroup-getsockname6': 32,
  'cgroup-sock-release': 34,
  'sk-lookup': 36,
  xdp: 37,
  'tcx-ingress': 46,
  'tcx-egress': 47,
} as const;

export type MapType = keyof typeof MAP_TYPE;
export type ProgramType = keyof typeof PROGRAM_TYPE;
export type AttachType = keyof typeof ATTACH_TYPE;

/** PROG_LOAD: a program that may sleep, which the loader program of a light skeleton has to. */
export const PROGRAM_SLEEPABLE = 16;

/** Magic number of a BPF file system (`BPF_FS_MAGIC`). */
export const BPF_FS_MAGIC = 0xcafe4a11;
