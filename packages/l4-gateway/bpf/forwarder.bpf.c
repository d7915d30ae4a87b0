/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Forwards TCP and UDP for virtual addresses to reals, by IP in IP; the reals answer the client directly.
 *
 * Order: parse, flow cache, and only on a miss VIP and ring; then count and encapsulate. What is not for a VIP goes on to
 * the host (XDP_PASS).
 */
#include "encapsulate.h"
#include "flow_cache.h"
#include "layout.h"
#include "packet.h"
#include "ring.h"

/* A target that the cache names, if it is still what it was. */
static INLINE struct target *known_target(__u32 meta)
{
	__u32 number = meta & META_TARGET;
	struct target *target;

	if (!meta)
		return 0;
	target = bpf_map_lookup_elem(&targets, &number);
	if (target && target->generation == (meta >> META_GENERATION_SHIFT & META_GENERATION))
		return target;
	return 0;
}

static INLINE int send(struct xdp_md *context, const struct target *target, __u32 number,
				const struct inner *inner)
{
	struct traffic *traffic = bpf_map_lookup_elem(&target_traffic, &number);

	if (traffic) {
		traffic->packets += 1;
		traffic->bytes += inner->bytes;
	}
	return encapsulate(context, target, inner);
}

/* The miss path from the place in the ring on: number 0 and a number that is free both mean that there is nobody. */
static INLINE int send_new(struct xdp_md *context, struct bucket *bucket, const struct lookup *lookup,
				    __u32 number, const struct inner *inner)
{
	struct target *target = bpf_map_lookup_elem(&targets, &number);

	if (!target || !target->family)
		return drop(COUNTER_NO_REAL);
	count(COUNTER_NEW_FLOW);
	if (bucket)
		store_flow(bucket, lookup,
			   number | (target->generation & META_GENERATION) << META_GENERATION_SHIFT | lookup->kind);
	return send(context, target, number, inner);
}

static INLINE int forward_ip4(struct xdp_md *context, struct iphdr *ip, void *end)
{
	struct packet packet = {};
	int verdict = read_ip4(&packet, ip, end);
	__u32 meta = 0;

	if (verdict != GO_ON)
		return verdict;

	__u32 source = ip->saddr, destination = ip->daddr;
	struct lookup lookup = {
		.tag = { source, packet.ports, destination },
		.kind = META_USED | (packet.protocol == IPPROTO_UDP ? META_UDP : 0),
		.hash = keyed_hash4(source, destination, packet.ports),
	};
	struct inner inner = {
		.bytes = packet.bytes,
		.spread = source ^ packet.ports,
		.traffic_class = packet.traffic_class,
		.protocol = IPPROTO_IPIP,
	};
	struct bucket *bucket = find_bucket(&lookup);

	if (bucket)
		meta = find_flow(bucket, &lookup);
	struct target *target = known_target(meta);
	if (target)
		return send(context, target, meta & META_TARGET, &inner);

	struct vip4_key key = { .port = packet.ports >> 16, .protocol = packet.protocol };
	*(__u32 *)key.address = destination;
	struct ring *ring = bpf_map_lookup_elem(&vips4, &key);
	if (!ring) {
		count(COUNTER_PASSED_NO_VIP);
		return XDP_PASS;
	}
	__u32 number = target_at(ring, ring_hash4(source, destination, packet.ports));
	return send_new(context, bucket, &lookup, number, &inner);
}

static INLINE int forward_ip6(struct xdp_md *context, struct ipv6hdr *ip, void *end)
{
	struct packet packet = {};
	int verdict = read_ip6(&packet, ip, end);
	__u32 meta = 0, words[8];

	if (verdict != GO_ON)
		return verdict;
	__builtin_memcpy(words, &ip->saddr, 32);

	struct lookup lookup = {
		.tag = { keyed_hash6(words, packet.ports, 1), keyed_hash6(words, packet.ports, 2),
			 keyed_hash6(words, packet.ports, 3) },
		.kind = META_USED | META_IP6 | (packet.protocol == IPPROTO_UDP ? META_UDP : 0),
		.hash = keyed_hash6(words, packet.ports, 0),
	};
	struct inner inner = {
		.bytes = packet.bytes,
		.spread = words[0] ^ words[1] ^ words[2] ^ words[3] ^ packet.ports,
		.traffic_class = packet.traffic_class,
		.protocol = IPPROTO_IPV6,
	};
	struct bucket *bucket = find_bucket(&lookup);

	if (bucket)
		meta = find_flow(bucket, &lookup);
	struct target *target = known_target(meta);
	if (target)
		return send(context, target, meta & META_TARGET, &inner);

	struct vip6_key key = { .port = packet.ports >> 16, .protocol = packet.protocol };
	__builtin_memcpy(key.address, &words[4], 16);
	struct ring *ring = bpf_map_lookup_elem(&vips6, &key);
	if (!ring) {
		count(COUNTER_PASSED_NO_VIP);
		return XDP_PASS;
	}
	__u32 number = target_at(ring, ring_hash6(words, packet.ports));
	return send_new(context, bucket, &lookup, number, &inner);
}

SEC("xdp")
int forward(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return forward_ip4(context, (void *)(eth + 1), end);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return forward_ip6(context, (void *)(eth + 1), end);
	return XDP_PASS;
}

EVENKEEL_LICENSE;
