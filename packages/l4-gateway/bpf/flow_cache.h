/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow cache: where a flow was sent before. Looked up before anything else, because a hit spares the lookup of the
 * VIP, the dearest step of all. Four ways of 16 bytes share a cache line.
 *
 * An insertion costs about as much as a hit, so a flood of new flows needs no limiter. It may evict an entry; that flow
 * then asks the ring, which answers the same unless it has changed.
 */
#ifndef FLOW_CACHE_H
#define FLOW_CACHE_H

#include "layout.h"

/* meta: target 0-11, its generation 12-28, UDP 29, IPv6 30, in use 31. */
#define META_TARGET (MAX_TARGETS - 1)
#define META_GENERATION_SHIFT 12
#define META_GENERATION 0x1ffff
#define META_UDP (1u << 29)
#define META_IP6 (1u << 30)
#define META_USED (1u << 31)
#define META_KIND (META_UDP | META_IP6 | META_USED)

#define LANE_KEYS 10

struct lookup {
	__u32 tag[3];
	__u32 kind;
	__u32 hash; /* upper bits: the way to evict; lower bits: the bucket */
};

/*
 * The multilinear hash (Lemire and Kaser, "Strongly universal string hashing is fast", 2014): the upper half of
 * k0 + k1 w1 + k2 w2 + ... modulo 2^64. For random keys any two different inputs collide with probability 2^-32, so
 * whoever does not know the keys cannot aim at a bucket.
 */
static INLINE __u32 keyed_hash4(__u32 source, __u32 destination, __u32 ports)
{
	return (flow_keys[0] + flow_keys[1] * source + flow_keys[2] * destination + flow_keys[3] * ports) >> 32;
}

static INLINE __u32 keyed_hash6(const __u32 *words, __u32 ports, int lane)
{
	const volatile __u64 *keys = &flow_keys[lane * LANE_KEYS];
	__u64 sum = keys[0] + keys[9] * ports;

#pragma unroll
	for (int i = 0; i < 8; i++)
		sum += keys[i + 1] * words[i];
	return sum >> 32;
}

static INLINE struct bucket *find_bucket(const struct lookup *lookup)
{
	__u32 index = bpf_get_smp_processor_id() * buckets + (lookup->hash & (buckets - 1));

	return bpf_map_lookup_elem(&flows, &index);
}

/* What was stored for the flow, or 0. */
static INLINE __u32 find_flow(const struct bucket *bucket, const struct lookup *lookup)
{
#pragma unroll
	for (int i = 0; i < WAYS; i++) {
		const struct flow *flow = &bucket->ways[i];

		if (flow->tag[0] == lookup->tag[0] && flow->tag[1] == lookup->tag[1] &&
		    flow->tag[2] == lookup->tag[2] && (flow->meta & META_KIND) == lookup->kind)
			return flow->meta;
	}
	return 0;
}

static INLINE int is_way_of(const struct flow *flow, const struct lookup *lookup)
{
	return !flow->meta || (flow->tag[0] == lookup->tag[0] && flow->tag[1] == lookup->tag[1] &&
			       flow->tag[2] == lookup->tag[2] && (flow->meta & META_KIND) == lookup->kind);
}

/* Stores in the flow's own way if it has one that is stale, else in a free one, else in one that the hash names. */
static INLINE void store_flow(struct bucket *bucket, const struct lookup *lookup, __u32 meta)
{
	__u32 way = lookup->hash >> 30;
	struct flow *flow;

#pragma unroll
	for (int i = WAYS - 1; i >= 0; i--)
		if (is_way_of(&bucket->ways[i], lookup))
			way = i;
	flow = &bucket->ways[way & (WAYS - 1)];
	flow->tag[0] = lookup->tag[0];
	flow->tag[1] = lookup->tag[1];
	flow->tag[2] = lookup->tag[2];
	flow->meta = meta;
}

#endif
