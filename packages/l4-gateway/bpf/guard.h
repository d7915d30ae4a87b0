/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may come in, of those who come for a VIP. Two places: every packet, when `inspect_all` is set; and packets of flows
 * that the cache does not know, SYNs above all, for VIPs with VIP_GUARDED or when `inspect_all` is set.
 *
 * Limits are kept for each CPU by itself, so they take neither locks nor atomics, and a flood costs what any packet costs.
 * A flow stays on its CPU; who has flows on all CPUs gets the limit as often.
 */
#ifndef GUARD_H
#define GUARD_H

#include "layout.h"
#include "packet.h"

enum guard_bit {
	GUARD_ACCESS = 1 << 0, /* look into the access lists */
	GUARD_ONLY_ALLOWED = 1 << 1, /* what they do not mention may not come in */
	GUARD_SOURCES = 1 << 2, /* limit sources */
	GUARD_VIPS = 1 << 3, /* limit VIPs */
};

enum access {
	ACCESS_DENY = 1,
	ACCESS_ALLOW = 2,
};

#define MAX_ACCESS_PREFIXES 65536

/*
 * A rate as the time between two packets, and how far ahead of it a burst may be, in ns: the generic cell rate algorithm
 * (ITU-T I.371), which is a token bucket in one number. No limit: 0.
 */
struct limit {
	__u64 interval;
	__u64 burst;
};

struct limits {
	struct limit packets;
	struct limit flows;
};

/* When the next packet would be in time. */
struct dues {
	__u64 packets;
	__u64 flows;
};

/* Sources are told apart by IPv4 address or IPv6 network of 64 bits: who has one has all addresses in it. */
struct guarded_source {
	__u64 tag;
	struct dues dues;
	__u64 family;
};

#define SOURCE_WAYS 2

struct source_bucket {
	struct guarded_source ways[SOURCE_WAYS];
} __attribute__((aligned(64)));

struct access_key {
	__u32 bits;
	__u8 address[16]; /* IPv4 takes the first four */
};

/* Of each CPU; a power of two. */
const volatile __u32 source_buckets = 1;

/* enum guard_bit */
__u32 guard_bits;
struct limits source_limits;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_ACCESS_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct access_key);
	__type(value, __u32);
} access4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_ACCESS_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct access_key);
	__type(value, __u32);
} access6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct source_bucket);
} guarded_sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_VIPS);
	__type(key, __u32);
	__type(value, struct limits);
} vip_limits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_VIPS);
	__type(key, __u32);
	__type(value, struct dues);
} vip_dues SEC(".maps");

EVENKEEL_EXPORT_TYPE(enum guard_bit);
EVENKEEL_EXPORT_TYPE(enum access);

/* Is this one in time, or ahead by no more than a burst? */
static INLINE int spend(__u64 *due, const struct limit *limit, __u64 now)
{
	__u64 at = *due > now ? *due : now;

	if (at - now > limit->burst)
		return 0;
	*due = at + limit->interval;
	return 1;
}

static INLINE int is_denied(const struct packet *packet)
{
	struct access_key key = { .bits = packet->family == 4 ? 32 : 128 };
	const __u32 *access;

	__builtin_memcpy(key.address, packet->source, 16);
	access = packet->family == 4 ? bpf_map_lookup_elem(&access4, &key) : bpf_map_lookup_elem(&access6, &key);
	if (!access)
		return guard_bits & GUARD_ONLY_ALLOWED;
	return *access == ACCESS_DENY;
}

/*
 * The record of a source. A new one takes the place of the one that has been quiet for longer, so that a flood from many
 * sources wears out those that send little, which start with a whole burst when they come again.
 */
static INLINE struct dues *source_dues(const struct packet *packet)
{
	__u64 tag = packet->family == 4 ? packet->source[0] : packet->source[0] | (__u64)packet->source[1] << 32;
	__u32 hash = (flow_keys[34] + (flow_keys[35] + (__u32)tag) * (flow_keys[36] + (tag >> 32))) >> 32;
	__u32 index = bpf_get_smp_processor_id() * source_buckets + (hash & (source_buckets - 1));
	struct source_bucket *bucket = bpf_map_lookup_elem(&guarded_sources, &index);
	struct guarded_source *first, *second, *way;

	if (!bucket)
		return 0;
	first = &bucket->ways[0];
	second = &bucket->ways[1];
	if (first->tag == tag && first->family == packet->family)
		return &first->dues;
	if (second->tag == tag && second->family == packet->family)
		return &second->dues;
	way = first->dues.packets + first->dues.flows <= second->dues.packets + second->dues.flows ? first : second;
	way->tag = tag;
	way->family = packet->family;
	way->dues = (struct dues){};
	return &way->dues;
}

/* Any packet for a VIP: access, then how many of them. */
static __noinline int guard_packet(const struct packet *packet, __u32 vip)
{
	const struct limits *limits;
	struct dues *dues;
	__u64 now;

	if (!packet)
		return XDP_ABORTED;
	if (guard_bits & GUARD_ACCESS && is_denied(packet))
		return drop(COUNTER_DENIED);
	if (!(guard_bits & (GUARD_SOURCES | GUARD_VIPS)))
		return GO_ON;
	now = bpf_ktime_get_coarse_ns();
	if (guard_bits & GUARD_SOURCES && source_limits.packets.interval) {
		dues = source_dues(packet);
		if (dues && !spend(&dues->packets, &source_limits.packets, now))
			return drop(COUNTER_SOURCE_LIMITED);
	}
	if (!(guard_bits & GUARD_VIPS))
		return GO_ON;
	limits = bpf_map_lookup_elem(&vip_limits, &vip);
	dues = bpf_map_lookup_elem(&vip_dues, &vip);
	if (limits && dues && limits->packets.interval && !spend(&dues->packets, &limits->packets, now))
		return drop(COUNTER_VIP_LIMITED);
	return GO_ON;
}

/* A packet of a flow that is not known: how many new flows. */
static __noinline int guard_flow(const struct packet *packet, __u32 vip)
{
	const struct limits *limits;
	struct dues *dues;
	__u64 now;

	if (!packet)
		return XDP_ABORTED;
	/* Else every packet has been asked for it. */
	if (!inspect_all && guard_bits & GUARD_ACCESS && is_denied(packet))
		return drop(COUNTER_DENIED);
	if (!(guard_bits & (GUARD_SOURCES | GUARD_VIPS)))
		return GO_ON;
	now = bpf_ktime_get_coarse_ns();
	if (guard_bits & GUARD_SOURCES && source_limits.flows.interval) {
		dues = source_dues(packet);
		if (dues && !spend(&dues->flows, &source_limits.flows, now))
			return drop(COUNTER_SOURCE_FLOWS_LIMITED);
	}
	if (!(guard_bits & GUARD_VIPS))
		return GO_ON;
	limits = bpf_map_lookup_elem(&vip_limits, &vip);
	dues = bpf_map_lookup_elem(&vip_dues, &vip);
	if (limits && dues && limits->flows.interval && !spend(&dues->flows, &limits->flows, now))
		return drop(COUNTER_VIP_FLOWS_LIMITED);
	return GO_ON;
}

#endif
