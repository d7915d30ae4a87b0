/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow cache: where a flow was sent before. Looked up before anything else, because a hit spares the lookup of the
 * VIP. Four ways of 16 bytes share a cache line.
 *
 * An insertion costs about as much as a hit, so a flood of new flows needs no limiter. It may evict an entry; that flow
 * then asks the ring, which answers the same unless it has changed. Flows that were seen once give way first: a flood of
 * SYNs evicts itself.
 */
#ifndef FLOW_CACHE_H
#define FLOW_CACHE_H

#include "layout.h"

/*
 * tag: of IPv4 the source and the ports as they are, of IPv6 64 bits of a keyed hash.
 * state: hash of the whole flow 44-63, target 30-43, its generation 18-29, time 3-17, confirmed 1, closing 0.
 *
 * The bucket stands for the lower bits of the hash, so IPv4 flows are mixed up when source and ports are equal and 30 bits
 * or more of a keyed hash are too; IPv6 flows when 94 bits are. Nobody can search for that without the keys.
 */
#define STATE_HASH_SHIFT 44
#define STATE_TARGET_SHIFT 30
#define STATE_GENERATION_SHIFT 18
#define STATE_GENERATION 0xfffU
#define STATE_TIME_SHIFT 3
#define STATE_TIME (0x7fffULL << STATE_TIME_SHIFT) /* seconds, modulo 2^15 */
#define STATE_CONFIRMED 2ULL /* a second packet came */
/* In clock_bits alone, where it makes every state look out of date: the short ways hand over. For the tracer. */
#define CLOCK_LONG_WAY 4ULL
#define STATE_CLOSING 1ULL /* TCP: FIN or RST was seen */

#define NO_WAY WAYS

/* Words of a flow, ports and kind included. */
#define LANE_KEYS 10
/* Flows of VIPs that are not to be found before the VIP is known. */
#define FLOW_APART 0x10000

struct lookup {
	__u64 tag;
	__u32 hash; /* upper bits: part of the key; lower bits: the bucket */
};

/*
 * The multilinear hash (Lemire and Kaser, "Strongly universal string hashing is fast", 2014, MULTILINEAR-HM): the upper
 * half of (k1 + w1)(k2 + w2) + (k3 + w3)(k4 + w4) + ... modulo 2^64. For random keys any two different inputs collide
 * with probability 2^-32, so whoever does not know the keys cannot aim at a bucket.
 */
static INLINE __u32 keyed_hash4(__u32 source, __u32 destination, __u32 ports, __u32 kind)
{
	return ((flow_keys[0] + source) * (flow_keys[1] + ports) +
		(flow_keys[2] + destination) * (flow_keys[3] + kind)) >> 32;
}

/* Three such sums, side by side: a pair of words is in registers once. */
struct lanes {
	__u64 sums[3];
};

static INLINE void add_words(struct lanes *lanes, int at, __u32 first, __u32 second)
{
#pragma unroll
	for (int lane = 0; lane < 3; lane++) {
		const volatile __u64 *keys = &flow_keys[lane * LANE_KEYS + at];

		lanes->sums[lane] += (keys[0] + first) * (keys[1] + second);
		/* Now: the compiler would load all keys first, and put them on the stack. */
		barrier_var(lanes->sums[lane]);
	}
}

static INLINE struct lookup lookup_of4(__u32 source, __u32 destination, __u32 ports, __u32 kind)
{
	struct lookup lookup = {
		.tag = (__u64)ports << 32 | source,
		.hash = keyed_hash4(source, destination, ports, kind),
	};

	return lookup;
}

static INLINE struct lookup lookup_of6(const volatile __u32 *source, const volatile __u32 *destination, __u32 ports, __u32 kind)
{
	struct lanes lanes = {};
	struct lookup lookup;

	add_words(&lanes, 0, ports, kind);
#pragma unroll
	for (int i = 0; i < 4; i += 2) {
		add_words(&lanes, 2 + i, source[i], source[i + 1]);
		add_words(&lanes, 6 + i, destination[i], destination[i + 1]);
	}
	lookup.tag = (lanes.sums[1] & 0xffffffff00000000ULL) | lanes.sums[2] >> 32;
	lookup.hash = lanes.sums[0] >> 32;
	return lookup;
}

static INLINE struct bucket *find_bucket(const struct lookup *lookup)
{
	__u32 index = bpf_get_smp_processor_id() * buckets + (lookup->hash & (buckets - 1));

	return bpf_map_lookup_elem(&flows, &index);
}

static INLINE __u64 hash_in_state(const struct lookup *lookup)
{
	return lookup->hash >> (STATE_HASH_SHIFT - 32);
}

/* The way that the flow is in, or NO_WAY. */
static INLINE int find_way(const struct bucket *bucket, const struct lookup *lookup)
{
	__u64 hash = hash_in_state(lookup);

#pragma unroll
	for (int i = 0; i < WAYS; i++) {
		const struct flow *flow = &bucket->ways[i];

		if (flow->tag == lookup->tag && flow->state >> STATE_HASH_SHIFT == hash)
			return i;
	}
	return NO_WAY;
}

static INLINE __u32 target_in(__u64 state)
{
	return state >> STATE_TARGET_SHIFT & (MAX_TARGETS - 1);
}

/* What the state of a flow is once a packet of it has come. */
static INLINE __u64 touched(__u64 state, __u32 tcp_flags)
{
	state = (state & ~STATE_TIME) | (clock_bits & ~CLOCK_LONG_WAY);
	return tcp_flags & (TCP_FIN | TCP_RST) ? state | STATE_CLOSING : state;
}

/* Was the flow silent for longer than its VIP allows? */
static INLINE int is_stale(__u64 state, const struct target *target, __u8 protocol)
{
	__u32 idle = ((clock_bits - (__u32)(state & STATE_TIME)) & STATE_TIME) >> STATE_TIME_SHIFT;

	if (protocol != IPPROTO_TCP)
		return idle > target->idle_udp;
	return idle > (state & STATE_CLOSING ? target->idle_closing : target->idle_tcp);
}

/* Stores in the way that the flow had, else in one that is free, in one whose flow was seen once, or as the hash says. */
static INLINE void store_flow(struct bucket *bucket, int way, const struct lookup *lookup, __u64 target_state)
{
	struct flow *flow;

	if (way == NO_WAY) {
		way = lookup->hash >> 30;
#pragma unroll
		for (int i = WAYS - 1; i >= 0; i--)
			if (!(bucket->ways[i].state & STATE_CONFIRMED))
				way = i;
#pragma unroll
		for (int i = WAYS - 1; i >= 0; i--)
			if (!bucket->ways[i].state)
				way = i;
	}
	flow = &bucket->ways[way & (WAYS - 1)];
	flow->tag = lookup->tag;
	flow->state = hash_in_state(lookup) << STATE_HASH_SHIFT | target_state | (clock_bits & STATE_TIME);
}

static INLINE __u64 state_of(const struct target *target, __u32 number)
{
	return (__u64)number << STATE_TARGET_SHIFT |
	       (__u64)(target->generation & STATE_GENERATION) << STATE_GENERATION_SHIFT;
}

#endif
