/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the program and user space share: sizes, records, maps, constants. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <evenkeel/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

/* The kernel's headers define __always_inline as a mere hint; a call costs nanoseconds here. */
#define INLINE inline __attribute__((always_inline))

#define RING_SIZE 65537 /* core's default Maglev size, a prime */
#define RING_SLOTS 72 /* unless user space asks for more */
#define MAX_VIPS 1024 /* numbers of VIPs; 0 is "none" */
#define MAX_TARGETS 16384 /* number 0 is "none" */
#define WAYS 4

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16
#define VIP_BUCKETS 1024

/* What a flow is sent as. A kind that a program does not know drops the packet. */
enum forward_kind {
	FORWARD_IPIP, /* IP in IP, each family in each */
	FORWARD_GUE,
	FORWARD_GRE,
	FORWARD_DIRECT, /* the Ethernet addresses are rewritten, nothing else */
	FORWARD_NAT,
	FORWARD_LOCAL, /* the real is this host: XDP_PASS */
	FORWARD_RESET, /* the real is dead: TCP is answered with a reset */
};

/*
 * A target for each place of the Maglev table. Nobody writes a ring while a VIP names it: a new table goes into a free
 * slot, and one store of eight bytes moves the VIP there. A packet sees the old table or the new one.
 */
struct ring {
	__u16 targets[RING_SIZE];
};

/* What every kind of look-up of a VIP ends with; eight bytes, so that they change in one store. */
struct vip {
	__u16 number;
	__u16 ring;
	__u32 flags;
} __attribute__((aligned(8)));

/* Flags of a VIP. One without any is served by the shortest path: 5-tuple, no fragments, no options. */
enum vip_flag {
	VIP_NO_SOURCE_PORT = 1 << 0, /* what does not count for the ring's hash: */
	VIP_NO_SOURCE = 1 << 1, /* address and port of the source */
	VIP_NO_DESTINATION_PORT = 1 << 2,
	VIP_NO_DESTINATION = 1 << 3, /* address and port of the destination */
	VIP_THREE_TUPLE = 1 << 4, /* addresses and protocol alone, so that fragments follow */
	VIP_OPTIONS = 1 << 5, /* IPv4 options and IPv6 extension headers are carried along */
	VIP_SOURCE_ROUTES = 1 << 6, /* look into source_routes first */
	VIP_QUIC = 1 << 7, /* connection ids name the real */
	VIP_GUARDED = 1 << 8, /* limits for new flows */
	VIP_NO_ECHO = 1 << 9, /* echo requests are dropped */
};

/* The rest about a VIP, by number: for what is rare. */
struct vip_record {
	__u8 quic_id_bytes;
	__u8 spare[63];
} __attribute__((aligned(64)));

/*
 * VIPs by address, port and protocol: an array with a hash of our own, because its look-up is inlined and one of the
 * kernel's hashes is a call that costs more than all the rest of a new flow. `tag` is the key itself for IPv4 and 64 keyed
 * bits of it for IPv6; see lookup.h. What finds its bucket full is in `more_vips`.
 */
struct vip_bucket {
	struct {
		__u64 tag;
		struct vip vip;
	} ways[WAYS];
} __attribute__((aligned(64)));

struct prefix4_key {
	__u32 bits; /* of what follows, 32 for all before the address */
	__u8 kind;
	__u8 protocol;
	__be16 port;
	__u8 address[4];
};

struct prefix6_key {
	__u32 bits;
	__u8 kind;
	__u8 protocol;
	__be16 port;
	__u8 address[16];
};

/* Sources with reals of their own: 32 bits of VIP number, then the address. IPv4 takes the first four bytes. */
struct source_key {
	__u32 bits;
	__u32 vip;
	__u8 address[16];
};

struct server_id_key {
	__u32 vip;
	__u32 bytes; /* how many of `id` there are */
	__u8 id[8];
};

/*
 * A real as a member of one VIP. When it leaves, the number's generation goes up, and cached flows with the old one
 * miss from then on: those of this real, and no others. One cache line.
 */
struct target {
	__u8 address[16];
	__u8 next_hop[6];
	__u8 family; /* of the address: 4, 6, or 0 for a number that is free */
	__u8 forward; /* enum forward_kind */
	__u16 generation;
	__u16 vip; /* its number */
	__u16 idle_tcp; /* seconds after which a flow is forgotten; see flow_cache.h */
	__u16 idle_udp;
	__u16 idle_closing;
	__be16 outer_port; /* GUE: destination; NAT: the real's, 0 for the VIP's */
	__u16 max_bytes; /* largest inner packet: the MTU less what this kind of forwarding adds */
	__u8 outer_source[16]; /* zero: from the prefix and the flow */
	/* For IP in IP in IPv4, worked out by user space: the outer source, its bits that the flow adds, and a sum, see plain.h. */
	__u8 plain_source[4];
	__u16 plain_spread;
	__u16 plain_sum;
	__u8 spare[2];
} __attribute__((aligned(64)));

/* A flow in the cache, see flow_cache.h. */
struct flow {
	__u64 tag;
	__u64 state;
};

/* One cache line. */
struct bucket {
	struct flow ways[WAYS];
} __attribute__((aligned(64)));

struct traffic {
	__u64 packets;
	__u64 bytes; /* of the packets as they came in, without Ethernet */
};

enum counter {
	COUNTER_NEW_FLOW, /* placed by the ring, not by the cache */
	COUNTER_PASSED_NO_VIP, /* TCP or UDP to nobody we know: left to the host */
	COUNTER_TRUNCATED, /* the frame ends inside a header */
	COUNTER_BAD_HEADER, /* a version or a header length that cannot be */
	COUNTER_BAD_LENGTH, /* lengths that contradict each other or the frame */
	COUNTER_FRAGMENT, /* a fragment for a VIP's address: its ports are in another packet */
	COUNTER_OPTIONS, /* IPv4 options or an IPv6 extension header, for a VIP's address */
	COUNTER_NO_REAL, /* a VIP without reals */
	COUNTER_TOO_BIG, /* larger than the MTU once it is encapsulated */
	COUNTER_NO_HEADROOM, /* the driver left no room for the outer header */
	COUNTER_UNKNOWN_FORWARD, /* a kind of forwarding that this program does not know */
	COUNTER_ICMP_FORWARDED, /* errors that went to the real of their flow */
	COUNTER_ICMP_DROPPED, /* ICMP for a VIP that is no error about a flow and no echo request */
	COUNTER_ECHO_ANSWERED,
	COUNTER_TOO_BIG_SENT, /* "too big" told to the sender */
	COUNTER_RESET_SENT, /* TCP resets for flows of a dead real */
	COUNTER_REPLY_LIMITED, /* an answer that was not sent: too many in this second */
	COUNTER_LOCAL, /* left to the host, which is the real */
	COUNTER_QUIC_ROUTED, /* by connection id */
	COUNTER_QUIC_UNKNOWN, /* a connection id that names no real */
	COUNTER_NAT_OPENED, /* connections that got a source port */
	COUNTER_NAT_RETURNED, /* packets of reals, on their way to clients */
	COUNTER_NAT_UNKNOWN, /* a packet of a connection that is not known (any more) */
	COUNTER_NAT_EXHAUSTED, /* no source port was found for a new connection */
	COUNTER_DENIED, /* from a source that is not let in */
	COUNTER_SOURCE_LIMITED, /* more packets from a source than it may send */
	COUNTER_SOURCE_FLOWS_LIMITED, /* more new flows from a source than it may open */
	COUNTER_VIP_LIMITED, /* more packets than the VIP takes */
	COUNTER_VIP_FLOWS_LIMITED, /* more new flows than the VIP takes */
	COUNTERS,
};

/* Random for each load, against collisions on purpose. Keys of three independent sums; see flow_cache.h. */
const volatile __u64 flow_keys[40];
/* The same on all gateways, or a flow that moves to another gateway would move to another real. */
const volatile __u64 ring_seed;
/* Per CPU; a power of two. */
const volatile __u32 buckets = 65536;
/* The largest outer packet, in bytes, without Ethernet. */
const volatile __u32 max_packet = 1500;
/* Answers of our own (ICMP errors, resets, echoes) per second and CPU. */
const volatile __u32 replies_per_second = 1000;
/* Not zero: every packet takes the long way, past the guard. */
const volatile __u32 inspect_all;
/* Prefixes of the outer source: 16 bits of IPv4, 96 of IPv6. The rest comes from the flow. */
const volatile __u8 outer_source4[4] = { 172, 16, 0, 0 };
const volatile __u8 outer_source6[16] = { 1, 0 };

/* Written by user space once a second: what flow_cache.h stores of a flow that goes on now, STATE_CONFIRMED included, and CLOCK_LONG_WAY. */
__u32 clock_bits;
/* Which kinds of VIPs there are (enum vip_kind), so that a miss does not look for others. */
__u32 vip_kinds;

enum vip_kind {
	KIND_ANY_PORT = 1 << 0,
	KIND_ANY_PROTOCOL = 1 << 1, /* of one port */
	KIND_ANYTHING = 1 << 2, /* all ports, all protocols */
	KIND_MORE = 1 << 3, /* some did not fit into their bucket */
	KIND_PREFIX4 = 1 << 4,
	KIND_PREFIX6 = 1 << 5,
	/* Of prefixes: */
	KIND_PREFIX_ANY_PORT = 1 << 6,
	KIND_PREFIX_ANY_PROTOCOL = 1 << 7,
	KIND_PREFIX_ANYTHING = 1 << 8,
	KIND_FRAGMENTS = 1 << 9,
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VIP_BUCKETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vip_bucket);
} vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * MAX_VIPS);
	__type(key, __u64);
	__type(value, struct vip);
} more_vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4 * MAX_VIPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix4_key);
	__type(value, struct vip);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4 * MAX_VIPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix6_key);
	__type(value, struct vip);
} prefixes6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_VIPS);
	__type(key, __u32);
	__type(value, struct vip_record);
} vip_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RING_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ring);
} rings SEC(".maps");

/* The ring, by slot, that a VIP has for some sources. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct source_key);
	__type(value, __u32);
} source_routes SEC(".maps");

/* Targets by the server id in a QUIC connection id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TARGETS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct server_id_key);
	__type(value, __u32);
} server_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct target);
} targets SEC(".maps");

/* A partition for each CPU: no locks, no atomics, because XDP on one CPU does not interrupt itself. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bucket);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct traffic);
} target_traffic SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32); /* enum counter: the kernel takes only integers as indexes */
	__type(value, __u64);
} counters SEC(".maps");

/* How many answers of our own this CPU has sent in this second. */
struct reply_limit {
	__u64 second;
	__u64 sent;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reply_limit);
} reply_limits SEC(".maps");

EVENKEEL_EXPORT_TYPE(enum counter);
EVENKEEL_EXPORT_TYPE(enum forward_kind);
EVENKEEL_EXPORT_TYPE(enum vip_flag);
EVENKEEL_EXPORT_TYPE(enum vip_kind);

static INLINE void count(enum counter reason)
{
	__u32 index = reason;
	__u64 *value = bpf_map_lookup_elem(&counters, &index);

	if (value)
		*value += 1;
}

static INLINE void trace_reason(enum counter reason); /* trace.h */

/* Apart, so that the many places that drop do not stand between the instructions of those that forward. */
static __noinline void count_drop(enum counter reason)
{
	count(reason);
	trace_reason(reason);
}

static INLINE int drop(enum counter reason)
{
	count_drop(reason);
	return XDP_DROP;
}

#endif
