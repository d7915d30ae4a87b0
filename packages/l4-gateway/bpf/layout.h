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
#define MAX_VIPS 512 /* of each family */
#define MAX_TARGETS 4096 /* number 0 is "none" */
#define WAYS 4

/* Eight bytes: the kernel hashes and compares a short key in half the time of one that has room for IPv6. */
struct vip4_key {
	__u8 address[4];
	__be16 port;
	__u8 protocol;
	__u8 spare;
} __attribute__((aligned(4)));

struct vip6_key {
	__u8 address[16];
	__be16 port;
	__u8 protocol;
	__u8 spare;
} __attribute__((aligned(4)));

struct address_key {
	__u8 address[16]; /* IPv4 takes the first four, and zeros follow */
	__u32 family; /* 4 or 6 */
} __attribute__((aligned(4)));

/*
 * A target for each place of the Maglev table. The table is the value of its VIP, so one lookup finds both, and a hash
 * without preallocation swaps the whole of it: a packet sees the old table or the new one.
 */
struct ring {
	__u16 targets[RING_SIZE];
};

/*
 * A real as a member of one VIP. When it leaves, the number's generation goes up, and cached flows with the old one
 * miss from then on: those of this real, and no others.
 */
struct target {
	__u8 address[16];
	__u8 next_hop[6];
	__u8 family; /* of the outer header: 4, 6, or 0 for a number that is free */
	__u8 spare;
	__u32 generation;
	__u32 reserved;
} __attribute__((aligned(8)));

/*
 * A flow in the cache. IPv4: source, ports and destination as they are. IPv6: 96 bits of a keyed hash of them, because
 * two addresses do not fit; a wrong match would take an equality of 96 bits that nobody can search for without the key.
 */
struct flow {
	__u32 tag[3];
	__u32 meta; /* see flow_cache.h */
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
	COUNTERS,
};

/* Random for each load, against collisions on purpose. Keys of four independent sums; see flow_cache.h. */
const volatile __u64 flow_keys[40];
/* The same on all gateways, or a flow that moves to another gateway would move to another real. */
const volatile __u64 ring_seed;
/* Per CPU; a power of two. */
const volatile __u32 buckets = 65536;
/* The largest outer packet, in bytes, without Ethernet. */
const volatile __u32 max_packet = 1500;
/* Prefixes of the outer source: 16 bits of IPv4, 96 of IPv6. The rest comes from the flow. */
const volatile __u8 outer_source4[4] = { 172, 16, 0, 0 };
const volatile __u8 outer_source6[16] = { 1, 0 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_VIPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vip4_key);
	__type(value, struct ring);
} vips4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_VIPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vip6_key);
	__type(value, struct ring);
} vips6 SEC(".maps");

/* Addresses of VIPs, whatever the port: for packets without ports. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * MAX_VIPS);
	__type(key, struct address_key);
	__type(value, __u32);
} vip_addresses SEC(".maps");

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

EVENKEEL_EXPORT_TYPE(enum counter);

static INLINE void count(enum counter reason)
{
	__u32 index = reason;
	__u64 *value = bpf_map_lookup_elem(&counters, &index);

	if (value)
		*value += 1;
}

/* Apart, so that the many places that drop do not stand between the instructions of those that forward. */
static __noinline void count_drop(enum counter reason)
{
	count(reason);
}

static INLINE int drop(enum counter reason)
{
	count_drop(reason);
	return XDP_DROP;
}

#endif
