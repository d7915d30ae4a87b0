/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The outer header: IP in IP (RFC 2003, 2473, 4213), GRE (RFC 2784), or UDP in GUE's variant 1 (draft-ietf-intarea-gue,
 * which is nothing but UDP). Traffic class copied, ECN included (RFC 6040, normal mode), TTL 64. Or none: then the Ethernet
 * addresses change and nothing else.
 *
 * The outer source depends on the flow, and so do the IPv6 flow label and GUE's source port: receivers spread packets over
 * queues, and routers over paths, by what they see on the outside. A target with an outer source of its own gets that one.
 *
 * The caller has seen to it that the packet fits (max_bytes of the target).
 */
#ifndef ENCAPSULATE_H
#define ENCAPSULATE_H

#include "layout.h"
#include "packet.h"

#define OUTER_TTL 64
#define FLOW_LABEL 0xfffff
#define GRE_BYTES 4
#define UDP_BYTES 8
#define TAG_BYTES 4 /* of a VLAN tag, which stays in front of the outer header */
#define DYNAMIC_PORTS 0xc000 /* the first of 2^14 (RFC 6335) */

struct inner {
	__u32 bytes;
	__u32 spread; /* bits of the flow */
	__u8 traffic_class;
	__u8 protocol; /* of the outer header: IPPROTO_IPIP or IPPROTO_IPV6 */
	__u8 tag_bytes; /* TAG_BYTES, or 0 without a tag */
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

/* Without an outer header. */
static INLINE int redirect_frame(struct xdp_md *context, const struct target *target)
{
	__u64 next_hop = next_hop_of(target);
	void *data = (void *)(long)context->data;

	if (data + sizeof(struct ethhdr) > (void *)(long)context->data_end)
		return drop(COUNTER_TRUNCATED);
	write_ethernet(data, data, next_hop);
	return XDP_TX;
}

/* Folded to 16 bits, which RFC 1071 allows at the end and in any byte order. */
static INLINE __u32 fold_sum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static INLINE __u16 udp_source(__u32 spread)
{
	return bpf_htons(DYNAMIC_PORTS | ((spread ^ spread >> 14 ^ spread >> 28) & ~DYNAMIC_PORTS & 0xffff));
}

/*
 * The sum of an inner packet without reading its payload: TCP's and UDP's own checksum makes their sum the complement of
 * their pseudo header's, and an IPv4 header sums up to nothing. 0 for a packet of which that cannot be said: fragments,
 * other protocols, UDP without a checksum.
 */
static INLINE int has_checksum(__u8 protocol, const void *transport, const void *end)
{
	if (protocol == IPPROTO_TCP)
		return 1;
	return protocol == IPPROTO_UDP && transport + UDP_BYTES <= end && ((const struct udphdr *)transport)->check;
}

static INLINE __u64 sum_of_inner(const void *at, const void *end, __u8 outer_protocol)
{
	const __u32 *words = at;

	if (outer_protocol == IPPROTO_IPIP) {
		const struct iphdr *ip = at;
		__u64 pseudo;

		if ((const void *)(ip + 1) > end || ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff) ||
		    !has_checksum(ip->protocol, ip + 1, end))
			return 0;
		pseudo = (__u64)words[3] + words[4] + bpf_htons(ip->protocol) +
			 bpf_htons(bpf_ntohs(ip->tot_len) - sizeof(*ip));
		return ~fold_sum(pseudo) & 0xffff;
	}
	const struct ipv6hdr *ip = at;

	if ((const void *)(ip + 1) > end || !has_checksum(ip->nexthdr, ip + 1, end))
		return 0;
	/* Addresses and length are in the header and, with the other sign, in the pseudo header. */
	return (__u64)words[0] + (words[1] >> 16) + (~(__u32)bpf_htons(ip->nexthdr) & 0xffff);
}

/*
 * RFC 8200 wants a checksum of UDP over IPv6, and RFC 6935 lets tunnels do without: with one wherever it can be had for
 * a few additions. `sum` is that of the outer pseudo header and the UDP header.
 */
static INLINE __u16 udp_checksum(__u64 sum, const void *at, const void *end, __u8 outer_protocol)
{
	__u64 inner = sum_of_inner(at, end, outer_protocol);
	__u16 checksum;

	if (!inner)
		return 0;
	checksum = ~fold_sum(sum + inner);
	return checksum ? checksum : 0xffff;
}

static INLINE __u32 outer_protocol(enum forward_kind kind, const struct inner *inner)
{
	if (kind == FORWARD_IPIP)
		return inner->protocol;
	return kind == FORWARD_GRE ? IPPROTO_GRE : IPPROTO_UDP;
}

static INLINE __u32 bytes_between(enum forward_kind kind)
{
	if (kind == FORWARD_IPIP)
		return 0;
	return kind == FORWARD_GRE ? GRE_BYTES : UDP_BYTES;
}

static INLINE __u32 gre_header(const struct inner *inner)
{
	return (__u32)(inner->protocol == IPPROTO_IPIP ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6)) << 16;
}

/*
 * Room in front, and Ethernet there. Returns where the outer header begins, or 0; `kind`, the family's `header` and
 * `tag_bytes` are constants wherever this is inlined.
 */
static INLINE void *make_room(struct xdp_md *context, __u64 next_hop, __u32 growth, __u32 tag_bytes, __be16 type)
{
	void *data, *end;
	__u16 *types;

	data = (void *)(long)context->data;
	end = (void *)(long)context->data_end;
	if (data + 2 * (sizeof(struct ethhdr) + tag_bytes) + growth > end)
		return 0;
	write_ethernet(data, data + growth, next_hop);
	types = data + 12;
	if (tag_bytes) {
		*(__u32 *)types = *(__u32 *)(data + growth + 12);
		types += 2;
	}
	*types = type;
	return types + 1;
}

static INLINE int encapsulate4(struct xdp_md *context, const struct target *target, const struct inner *inner,
			       enum forward_kind kind, __u32 tag_bytes)
{
	const __u32 between = bytes_between(kind), growth = sizeof(struct iphdr) + between;
	__u64 next_hop = next_hop_of(target), sum;
	__u32 destination = *(__u32 *)target->address, source = *(__u32 *)target->outer_source, *words;
	__u32 bits = (inner->spread ^ inner->spread >> 16) & 0xffff;
	__u32 last = OUTER_TTL | outer_protocol(kind, inner) << 8;
	__be16 port = target->outer_port;

	if (!source)
		source = *(const volatile __u32 *)outer_source4 | bits << 16;
	if (bpf_xdp_adjust_head(context, -(int)growth))
		return drop(COUNTER_NO_HEADROOM);
	words = make_room(context, next_hop, growth, tag_bytes, bpf_htons(ETH_P_IP));
	if (!words || (void *)words + growth > (void *)(long)context->data_end)
		return drop(COUNTER_TRUNCATED);
	words[0] = 0x45 | inner->traffic_class << 8 | (__u32)bpf_htons(inner->bytes + growth) << 16;
	words[1] = 0; /* no identification: "don't fragment" is not set, and nobody on the way may fragment */
	words[3] = source;
	words[4] = destination;
	sum = (__u64)words[0] + last + source + destination;
	words[2] = last | (~fold_sum(sum) & 0xffff) << 16;
	if (kind == FORWARD_GRE)
		words[5] = gre_header(inner);
	if (kind == FORWARD_GUE) {
		words[5] = udp_source(inner->spread) | (__u32)port << 16;
		words[6] = bpf_htons(inner->bytes + UDP_BYTES); /* without a checksum: IP has one, and so has the inner packet */
	}
	return XDP_TX;
}

static INLINE int encapsulate6(struct xdp_md *context, const struct target *target, const struct inner *inner,
			       enum forward_kind kind, __u32 tag_bytes)
{
	const __u32 between = bytes_between(kind), growth = sizeof(struct ipv6hdr) + between;
	__u64 next_hop = next_hop_of(target);
	const __u64 *address = (const __u64 *)target->address;
	const __u64 *own = (const __u64 *)target->outer_source;
	__u64 destination_head = address[0], destination_tail = address[1];
	__u64 source_head = own[0], source_tail = own[1];
	const volatile __u32 *prefix = (const volatile __u32 *)outer_source6;
	__be16 port = target->outer_port;
	__u32 *words;

	if (!source_head) {
		source_head = prefix[0] | (__u64)prefix[1] << 32;
		source_tail = prefix[2] | (__u64)inner->spread << 32;
	}
	if (bpf_xdp_adjust_head(context, -(int)growth))
		return drop(COUNTER_NO_HEADROOM);
	words = make_room(context, next_hop, growth, tag_bytes, bpf_htons(ETH_P_IPV6));
	if (!words || (void *)words + growth > (void *)(long)context->data_end)
		return drop(COUNTER_TRUNCATED);
	words[0] = bpf_htonl(6u << 28 | (__u32)inner->traffic_class << 20 |
			     ((inner->spread ^ inner->spread >> 12) & FLOW_LABEL));
	words[1] = bpf_htons(inner->bytes + between) | outer_protocol(kind, inner) << 16 | (__u32)OUTER_TTL << 24;
	*(__u64 *)(words + 2) = source_head;
	*(__u64 *)(words + 4) = source_tail;
	*(__u64 *)(words + 6) = destination_head;
	*(__u64 *)(words + 8) = destination_tail;
	if (kind == FORWARD_GRE)
		words[10] = gre_header(inner);
	if (kind == FORWARD_GUE) {
		__u32 ports = udp_source(inner->spread) | (__u32)port << 16;
		__u16 length = bpf_htons(inner->bytes + UDP_BYTES);
		__u64 sum = (__u64)(__u32)source_head + (source_head >> 32) + (__u32)source_tail + (source_tail >> 32) +
			    (__u32)destination_head + (destination_head >> 32) + (__u32)destination_tail +
			    (destination_tail >> 32) + ports + 2 * length + bpf_htons(IPPROTO_UDP);
		void *end = (void *)(long)context->data_end;

		words[10] = ports;
		words[11] = length | (__u32)udp_checksum(sum, words + 12, end, inner->protocol) << 16;
	}
	return XDP_TX;
}

/* All kinds that have an outer header, and the rewriting of Ethernet. The short ways of plain.h do without the call. */
static __noinline int encapsulate(struct xdp_md *context, const struct target *target, const struct inner *inner)
{
	const int is4 = target->family == 4;

	switch (target->forward) {
	case FORWARD_DIRECT:
		return redirect_frame(context, target);
	case FORWARD_IPIP:
		if (inner->tag_bytes)
			return is4 ? encapsulate4(context, target, inner, FORWARD_IPIP, TAG_BYTES) :
				     encapsulate6(context, target, inner, FORWARD_IPIP, TAG_BYTES);
		return is4 ? encapsulate4(context, target, inner, FORWARD_IPIP, 0) :
			     encapsulate6(context, target, inner, FORWARD_IPIP, 0);
	case FORWARD_GUE:
		if (inner->tag_bytes)
			return is4 ? encapsulate4(context, target, inner, FORWARD_GUE, TAG_BYTES) :
				     encapsulate6(context, target, inner, FORWARD_GUE, TAG_BYTES);
		return is4 ? encapsulate4(context, target, inner, FORWARD_GUE, 0) :
			     encapsulate6(context, target, inner, FORWARD_GUE, 0);
	case FORWARD_GRE:
		if (inner->tag_bytes)
			return is4 ? encapsulate4(context, target, inner, FORWARD_GRE, TAG_BYTES) :
				     encapsulate6(context, target, inner, FORWARD_GRE, TAG_BYTES);
		return is4 ? encapsulate4(context, target, inner, FORWARD_GRE, 0) :
			     encapsulate6(context, target, inner, FORWARD_GRE, 0);
	default:
		return drop(COUNTER_UNKNOWN_FORWARD);
	}
}

#endif
