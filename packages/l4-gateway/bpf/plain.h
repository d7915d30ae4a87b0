/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The short way of what nearly all packets are: untagged, TCP or UDP, no options, no fragments, IP in IP, a VIP without
 * flags. Everything else is handed over (GO_ON) before anything has been changed; so are FIN and RST, which are rare.
 *
 * What is written here as it is for speed: the compiler has four registers that outlive a call, and every look-up is a
 * call to it. So fields are read from the packet again after each instead of being kept, and what is read of a target is
 * read last.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "encapsulate.h"
#include "flow_cache.h"
#include "layout.h"
#include "lookup.h"
#include "packet.h"
#include "ring.h"

/* Offsets in a frame without a tag and without options. */
#define IP4_AT ETHERNET
#define PORTS4_AT (ETHERNET + 20)
#define PLAIN4_BYTES (ETHERNET + 20 + 20)
#define IP6_AT ETHERNET
#define PORTS6_AT (ETHERNET + 40)
#define PLAIN6_BYTES (ETHERNET + 40 + 20)

#define AT32(data, offset) (*(volatile __u32 *)((data) + (offset)))

enum plain_kind {
	PLAIN_NOT,
	PLAIN_GOES_ON,
	PLAIN_BEGINS, /* a SYN */
};

/* What a transport header is, `ip_bytes` into a packet of `bytes`. */
static INLINE enum plain_kind plain_kind(const void *at, __u8 protocol, __u32 ip_bytes, __u32 bytes)
{
	if (protocol == IPPROTO_TCP) {
		__u32 word = *(__u16 *)(at + 12), header = (word & 0xf0) >> 2;

		if (header < sizeof(struct tcphdr) || ip_bytes + header > bytes || word & (TCP_FIN | TCP_RST) << 8)
			return PLAIN_NOT;
		return (word & (TCP_SYN | TCP_ACK) << 8) == TCP_SYN << 8 ? PLAIN_BEGINS : PLAIN_GOES_ON;
	}
	if (protocol == IPPROTO_UDP) {
		__u32 length = bpf_ntohs(*(__be16 *)(at + 4));

		return length < sizeof(struct udphdr) || ip_bytes + length > bytes ? PLAIN_NOT : PLAIN_GOES_ON;
	}
	return PLAIN_NOT;
}

/* A flow whose entry does not say that it was here in this second: is it still to be believed? Then it says so from now on. */
static INLINE int refresh(struct flow *flow, const struct target *target, __u32 protocol)
{
	if (clock_bits & CLOCK_LONG_WAY || is_stale(flow->state, target, protocol))
		return 0;
	flow->state = touched(flow->state, 0);
	return 1;
}

/* The target that an entry names, and its number in `*number`, if it is still what it was. */
static INLINE struct target *plain_known(struct flow *flow, __u32 *number, __u8 protocol)
{
	struct target *target;
	__u64 state = flow->state;

	*number = target_in(state);
	target = bpf_map_lookup_elem(&targets, number);
	state = flow->state;
	if (!target || !state || target->generation != (state >> STATE_GENERATION_SHIFT & STATE_GENERATION))
		return 0;
	return ((state & ~STATE_TIME) | clock_bits) == state || refresh(flow, target, protocol) ? target : 0;
}

/* Next hop, family and kind of forwarding, in one word. */
static INLINE __u64 hop_of(const struct target *target)
{
	return *(__u64 *)target->next_hop;
}

static INLINE int is_plain(const struct target *target, __u32 bytes)
{
	return hop_of(target) >> 56 == FORWARD_IPIP && bytes <= target->max_bytes;
}

static INLINE void count_traffic(const __u32 *number, __u32 bytes)
{
	struct traffic *traffic = bpf_map_lookup_elem(&target_traffic, number);

	if (traffic) {
		traffic->packets += 1;
		traffic->bytes += bytes;
	}
}

/* IPv4 in IPv4: `encapsulate4` in as few stores as there can be. */
static INLINE int wrap44(struct xdp_md *context, const struct target *target)
{
	__u32 source, destination, head, spread, sum;
	const __u64 last = OUTER_TTL | IPPROTO_IPIP << 8;
	__u64 own, hop;
	void *data;

	if (bpf_xdp_adjust_head(context, -(int)sizeof(struct iphdr)))
		return drop(COUNTER_NO_HEADROOM);
	data = (void *)(long)context->data;
	if (data + sizeof(struct iphdr) + PLAIN4_BYTES > (void *)(long)context->data_end)
		return drop(COUNTER_TRUNCATED);
	own = *(__u64 *)(data + sizeof(struct iphdr));
	head = AT32(data, sizeof(struct iphdr) + IP4_AT);
	spread = AT32(data, sizeof(struct iphdr) + IP4_AT + 12) ^ AT32(data, sizeof(struct iphdr) + PORTS4_AT);
	hop = hop_of(target);
	destination = *(__u32 *)target->address;
	spread = (spread ^ spread >> 16) & target->plain_spread;
	source = *(__u32 *)target->plain_source | spread << 16;
	/* Version, header length, class; then the length, 20 more. */
	head = (head & 0xffff) | (__u32)bpf_htons(bpf_ntohs(head >> 16) + sizeof(struct iphdr)) << 16;
	/* All that is the same for every packet is in plain_sum; the rest are three numbers of 16 bits. */
	sum = target->plain_sum + (head & 0xffff) + (head >> 16) + spread;
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	*(__u64 *)data = (hop & 0xffffffffffffULL) | own << 48;
	*(__u64 *)(data + 8) = (__u32)(own >> 16) | (__u64)bpf_htons(ETH_P_IP) << 32 | (__u64)head << 48;
	*(__u64 *)(data + 16) = head >> 16 | last << 48;
	*(__u64 *)(data + 24) = (~sum & 0xffff) | (__u64)source << 16 | (__u64)destination << 48;
	*(__u16 *)(data + 32) = destination >> 16;
	return XDP_TX;
}

static INLINE int wrap(struct xdp_md *context, const struct target *target, const struct inner *inner)
{
	return target->family == 4 ? encapsulate4(context, target, inner, FORWARD_IPIP, 0) :
				     encapsulate6(context, target, inner, FORWARD_IPIP, 0);
}

/* IPv4 in IPv6, or the reverse. */
static INLINE int wrap_other(struct xdp_md *context, const struct target *target)
{
	void *data = (void *)(long)context->data;
	struct inner inner = { .protocol = IPPROTO_IPIP };
	__u32 head;

	if (!target || data + PLAIN4_BYTES > (void *)(long)context->data_end)
		return XDP_ABORTED;
	head = AT32(data, IP4_AT);
	inner.bytes = bpf_ntohs(head >> 16);
	inner.traffic_class = head >> 8;
	inner.spread = AT32(data, IP4_AT + 12) ^ AT32(data, PORTS4_AT);
	return wrap(context, target, &inner);
}

static INLINE __u32 hash4(const void *data)
{
	return keyed_hash4(AT32(data, IP4_AT + 12), AT32(data, IP4_AT + 16), AT32(data, PORTS4_AT),
			   *(__u8 *)(data + IP4_AT + 9));
}

static INLINE __u64 tag4(const void *data)
{
	return AT32(data, IP4_AT + 12) | (__u64)AT32(data, PORTS4_AT) << 32;
}

static INLINE __u32 bytes4(const void *data)
{
	return bpf_ntohs(*(__be16 *)(data + IP4_AT + 2));
}

static INLINE int forward_plain4(struct xdp_md *context)
{
	__u32 per_cpu = buckets, number = bpf_get_smp_processor_id() * per_cpu, first;
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct target *target;
	struct bucket *bucket;
	struct lookup lookup;
	enum plain_kind kind;
	int way = NO_WAY;

	if (data + PLAIN4_BYTES > end)
		return GO_ON;
	first = AT32(data, IP4_AT);
	if ((__u8)first != 0x45 || *(__be16 *)(data + IP4_AT + 6) & bpf_htons(IP_FRAGMENT) ||
	    data + IP4_AT + bpf_ntohs(first >> 16) > end)
		return GO_ON;
	kind = plain_kind(data + PORTS4_AT, *(__u8 *)(data + IP4_AT + 9), sizeof(struct iphdr), bpf_ntohs(first >> 16));
	if (kind == PLAIN_NOT)
		return GO_ON;
	lookup.hash = hash4(data);
	number += lookup.hash & (per_cpu - 1);
	bucket = bpf_map_lookup_elem(&flows, &number);
	if (!bucket)
		return GO_ON;
	lookup.tag = tag4(data);
	way = find_way(bucket, &lookup);
	if (way != NO_WAY && kind == PLAIN_GOES_ON) {
		target = plain_known(&bucket->ways[way & (WAYS - 1)], &number, *(__u8 *)(data + IP4_AT + 9));
		if (target)
			goto send;
	}

	struct vip vip = find_tag(vip_tag4(AT32(data, IP4_AT + 16), *(__be16 *)(data + PORTS4_AT + 2),
					   *(__u8 *)(data + IP4_AT + 9)));

	if (!vip.number || vip.flags || clock_bits & CLOCK_LONG_WAY)
		return GO_ON;
	number = target_at(vip.ring, ring_hash4(AT32(data, IP4_AT + 12), AT32(data, IP4_AT + 16),
						AT32(data, PORTS4_AT)));
	target = new_target(&number, &vip);
	if (!target || !is_plain(target, bytes4(data)))
		return GO_ON;
	count(COUNTER_NEW_FLOW);
	lookup.tag = tag4(data);
	store_flow(bucket, way, &lookup, state_of(target, number));
send:
	if (!is_plain(target, bytes4(data)))
		return GO_ON;
	count_traffic(&number, bytes4(data));
	if ((__u8)(hop_of(target) >> 48) == 4)
		return wrap44(context, target);
	return wrap_other(context, target);
}

static INLINE struct lookup lookup_plain6(const void *data)
{
	return lookup_of6(data + IP6_AT + 8, data + IP6_AT + 24, AT32(data, PORTS6_AT),
			  *(__u8 *)(data + IP6_AT + 6));
}

static INLINE __u32 bytes6(const void *data)
{
	return bpf_ntohs(*(__be16 *)(data + IP6_AT + 4)) + sizeof(struct ipv6hdr);
}

static INLINE int forward_plain6(struct xdp_md *context)
{
	__u32 number = bpf_get_smp_processor_id() * buckets;
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct inner inner = { .protocol = IPPROTO_IPV6 };
	struct target *target;
	struct bucket *bucket;
	struct lookup lookup;
	enum plain_kind kind;
	int way;

	if (data + PLAIN6_BYTES > end)
		return GO_ON;
	if ((*(__u8 *)(data + IP6_AT) & 0xf0) != 0x60 || data + IP6_AT + bytes6(data) > end)
		return GO_ON;
	kind = plain_kind(data + PORTS6_AT, *(__u8 *)(data + IP6_AT + 6), sizeof(struct ipv6hdr), bytes6(data));
	if (kind == PLAIN_NOT)
		return GO_ON;
	lookup = lookup_plain6(data);
	number += lookup.hash & (buckets - 1);
	bucket = bpf_map_lookup_elem(&flows, &number);
	if (!bucket)
		return GO_ON;
	way = find_way(bucket, &lookup);
	if (way != NO_WAY && kind == PLAIN_GOES_ON) {
		target = plain_known(&bucket->ways[way & (WAYS - 1)], &number, *(__u8 *)(data + IP6_AT + 6));
		if (target)
			goto send;
	}

	struct vip vip = find_tag(vip_tag6(data + IP6_AT + 24, *(__be16 *)(data + PORTS6_AT + 2),
					   *(__u8 *)(data + IP6_AT + 6)));

	if (!vip.number || vip.flags || clock_bits & CLOCK_LONG_WAY)
		return GO_ON;
	number = target_at(vip.ring, ring_hash6(data + IP6_AT + 8, data + IP6_AT + 24, AT32(data, PORTS6_AT)));
	target = new_target(&number, &vip);
	if (!target || !is_plain(target, bytes6(data)))
		return GO_ON;
	count(COUNTER_NEW_FLOW);
	store_flow(bucket, way, &lookup, state_of(target, number));
send:
	if (!is_plain(target, bytes6(data)))
		return GO_ON;
	count_traffic(&number, bytes6(data));
	inner.bytes = bytes6(data);
	inner.traffic_class = bpf_ntohs(*(__be16 *)(data + IP6_AT)) >> 4;
	inner.spread = AT32(data, IP6_AT + 8) ^ AT32(data, IP6_AT + 12) ^ AT32(data, IP6_AT + 16) ^
		       AT32(data, IP6_AT + 20) ^ AT32(data, PORTS6_AT);
	return wrap(context, target, &inner);
}

#endif
