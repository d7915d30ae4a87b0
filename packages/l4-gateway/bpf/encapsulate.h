/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The outer header: IP in IP (RFC 2003, 2473, 4213). Traffic class copied, ECN included (RFC 6040, normal mode), TTL 64.
 *
 * The outer source depends on the flow, and so does the IPv6 flow label: receivers spread packets over queues, and
 * routers over paths, by what they see on the outside.
 */
#ifndef ENCAPSULATE_H
#define ENCAPSULATE_H

#include "layout.h"

#define OUTER_TTL 64
#define FLOW_LABEL 0xfffff

struct inner {
	__u32 bytes;
	__u32 spread; /* bits of the flow */
	__u8 traffic_class;
	__u8 protocol; /* of the outer header: IPPROTO_IPIP or IPPROTO_IPV6 */
};

/* To the next hop, from the address that the frame came to. `old` is where the Ethernet header was. */
static INLINE void write_ethernet(struct ethhdr *eth, const struct ethhdr *old, __u64 next_hop)
{
	__u32 own_head = *(__u32 *)old->h_dest;
	__u16 own_tail = *(__u16 *)(old->h_dest + 4);

	*(__u32 *)eth->h_dest = next_hop;
	*(__u16 *)(eth->h_dest + 4) = next_hop >> 32;
	*(__u32 *)eth->h_source = own_head;
	*(__u16 *)(eth->h_source + 4) = own_tail;
}

static INLINE __u64 next_hop_of(const struct target *target)
{
	return *(__u32 *)target->next_hop | (__u64) * (__u16 *)(target->next_hop + 4) << 32;
}

static INLINE int encapsulate4(struct xdp_md *context, const struct target *target, const struct inner *inner)
{
	__u64 next_hop = next_hop_of(target), sum;
	__u32 destination = *(__u32 *)target->address, *words;
	__u32 bits = (inner->spread ^ inner->spread >> 16) & 0xffff;
	__u32 source = *(const volatile __u32 *)outer_source4 | bits << 16;
	void *data, *end;

	if (bpf_xdp_adjust_head(context, -(int)sizeof(struct iphdr)))
		return drop(COUNTER_NO_HEADROOM);
	data = (void *)(long)context->data;
	end = (void *)(long)context->data_end;
	if (data + 2 * sizeof(struct ethhdr) + sizeof(struct iphdr) > end)
		return drop(COUNTER_TRUNCATED);
	write_ethernet(data, data + sizeof(struct iphdr), next_hop);
	((struct ethhdr *)data)->h_proto = bpf_htons(ETH_P_IP);

	words = data + sizeof(struct ethhdr);
	words[0] = 0x45 | inner->traffic_class << 8 |
		   (__u32)bpf_htons(inner->bytes + sizeof(struct iphdr)) << 16;
	words[1] = 0; /* no identification: "don't fragment" is not set, and nobody on the way may fragment */
	words[3] = source;
	words[4] = destination;
	/* Folded to 16 bits, which RFC 1071 allows at the end and in any byte order. */
	sum = (__u64)words[0] + (OUTER_TTL | inner->protocol << 8) + source + destination;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	words[2] = OUTER_TTL | inner->protocol << 8 | (~(__u32)sum & 0xffff) << 16;
	return XDP_TX;
}

static INLINE int encapsulate6(struct xdp_md *context, const struct target *target, const struct inner *inner)
{
	__u64 next_hop = next_hop_of(target);
	const __u64 *address = (const __u64 *)target->address;
	__u64 destination_head = address[0], destination_tail = address[1];
	const volatile __u32 *prefix = (const volatile __u32 *)outer_source6;
	struct ipv6hdr *ip;
	void *data, *end;
	__u32 *words;

	if (bpf_xdp_adjust_head(context, -(int)sizeof(*ip)))
		return drop(COUNTER_NO_HEADROOM);
	data = (void *)(long)context->data;
	end = (void *)(long)context->data_end;
	if (data + 2 * sizeof(struct ethhdr) + sizeof(*ip) > end)
		return drop(COUNTER_TRUNCATED);
	write_ethernet(data, data + sizeof(*ip), next_hop);
	((struct ethhdr *)data)->h_proto = bpf_htons(ETH_P_IPV6);

	words = data + sizeof(struct ethhdr);
	words[0] = bpf_htonl(6u << 28 | (__u32)inner->traffic_class << 20 |
			     ((inner->spread ^ inner->spread >> 12) & FLOW_LABEL));
	words[1] = bpf_htons(inner->bytes) | (__u32)inner->protocol << 16 | (__u32)OUTER_TTL << 24;
	words[2] = prefix[0];
	words[3] = prefix[1];
	words[4] = prefix[2];
	words[5] = inner->spread;
	*(__u64 *)(words + 6) = destination_head;
	*(__u64 *)(words + 8) = destination_tail;
	return XDP_TX;
}

static INLINE int encapsulate(struct xdp_md *context, const struct target *target, const struct inner *inner)
{
	if (target->family == 4) {
		if (inner->bytes + sizeof(struct iphdr) > max_packet)
			return drop(COUNTER_TOO_BIG);
		return encapsulate4(context, target, inner);
	}
	if (inner->bytes + sizeof(struct ipv6hdr) > max_packet)
		return drop(COUNTER_TOO_BIG);
	return encapsulate6(context, target, inner);
}

#endif
