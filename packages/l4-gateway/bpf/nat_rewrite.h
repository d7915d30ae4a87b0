/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * New ends for a packet: addresses, ports, and every checksum that they are in, by what has changed (RFC 1624). For TCP and
 * UDP, and for ICMP errors with the packet that they quote (RFC 5508).
 */
#ifndef NAT_REWRITE_H
#define NAT_REWRITE_H

#include "encapsulate.h"
#include "layout.h"
#include "packet.h"
#include "reply.h"

/* New ends of a packet, and where it goes. IPv4 addresses are followed by zeros. */
struct nat_ends {
	__u32 source[4];
	__u32 destination[4];
	__u32 ports;
	__u8 hop[6];
};

/* Not on the stack, of which all nested calls together have 512 bytes. */
struct nat_scratch {
	struct nat_ends ends;
	struct nat_ends quoted;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nat_scratch);
} nat_scratches SEC(".maps");

static INLINE struct nat_scratch *nat_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nat_scratches, &zero);
}

/* What changes of a checksum when these words change: to be added to its complement. */
static INLINE __u64 nat_change(const __u32 *before, const __u32 *after, __u32 family)
{
	__u64 sum = (__u64)(__u32)~before[0] + after[0];

	if (family == 4)
		return sum;
#pragma unroll
	for (int i = 1; i < 4; i++)
		sum += (__u64)(__u32)~before[i] + after[i];
	return sum;
}

static INLINE __u16 nat_checksum(__u16 checksum, __u64 change)
{
	return ~fold_sum((__u64)(__u16)~checksum + change);
}

/* Writes addresses into an IP header; an IPv4 header's own checksum follows. */
static INLINE void nat_write_addresses(void *ip, const __u32 *source, const __u32 *destination, __u32 family)
{
	__u32 *words = ip;

	if (family == 4) {
		struct iphdr *ip4 = ip;
		__u64 change = (__u64)(__u32)~words[3] + source[0] + (__u32)~words[4] + destination[0];

		ip4->check = nat_checksum(ip4->check, change);
		words[3] = source[0];
		words[4] = destination[0];
		return;
	}
#pragma unroll
	for (int i = 0; i < 4; i++) {
		words[2 + i] = source[i];
		words[6 + i] = destination[i];
	}
}

static INLINE void nat_write_link(void *data, const __u8 *hop)
{
	struct ethhdr *eth = data;

	__builtin_memcpy(eth->h_source, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, hop, 6);
}

/* A whole TCP or UDP packet gets new ends. */
static __noinline int nat_rewrite(struct xdp_md *context, const struct packet *packet, const struct nat_ends *ends)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	__u32 l2, *ports;
	__u16 *checksum;
	__u32 family, protocol;
	__u64 change;
	void *ip;

	if (!packet || !ends)
		return XDP_ABORTED;
	/* Read once: what the verifier learns from a check is about a value, not about the place that it came from. */
	family = packet->family;
	protocol = packet->protocol;
	barrier_var(family);
	barrier_var(protocol);
	l2 = packet->l2 == TAGGED ? TAGGED : ETHERNET;
	ip = data + l2;
	ports = ip + (packet->header & 0x1ff);
	checksum = (void *)ports + (protocol == IPPROTO_TCP ? 16 : 6);
	if (ip + (family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) > end ||
	    (void *)(ports + 1) > end || (void *)(checksum + 1) > end)
		return drop(COUNTER_TRUNCATED);
	change = nat_change(packet->source, ends->source, family) +
		 nat_change(packet->destination, ends->destination, family) + (__u32)~packet->ports + ends->ports;
	nat_write_link(data, ends->hop);
	nat_write_addresses(ip, ends->source, ends->destination, family);
	*ports = ends->ports;
	/* No checksum of UDP stays none; and one that comes out as none is written the other way (RFC 768). */
	if (protocol == IPPROTO_TCP) {
		*checksum = nat_checksum(*checksum, change);
	} else if (*checksum) {
		__u16 sum = nat_checksum(*checksum, change);

		*checksum = sum ? sum : 0xffff;
	}
	return XDP_TX;
}

/* The transport's checksum in a quoted packet, if it is there, follows too. Returns the change that this is. */
static INLINE __u64 nat_quoted_checksum(void *transport, void *end, __u32 protocol, __u64 change)
{
	__u16 *checksum = transport + (protocol == IPPROTO_TCP ? 16 : 6), before, after;

	if ((void *)(checksum + 1) > end)
		return 0;
	before = *checksum;
	if (protocol == IPPROTO_UDP && !before)
		return 0;
	after = nat_checksum(before, change);
	if (protocol == IPPROTO_UDP && !after)
		after = 0xffff;
	*checksum = after;
	return (__u64)(__u16)~before + after;
}

/*
 * An ICMP error gets a new destination (and source, if that end has to be hidden), and the packet that it quotes the ends
 * that it had where the error goes. `quoted` are those: source and ports are seen from the packet that is quoted.
 */
static __noinline int nat_rewrite_error(struct xdp_md *context, const struct packet *packet, const struct nat_ends *outer,
					const struct nat_ends *quoted)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	void *ip, *inner, *transport;
	__u64 change, header_change;
	struct icmp *icmp;
	__u32 *ports;
	__u32 family, protocol;

	if (!packet || !outer || !quoted)
		return XDP_ABORTED;
	family = packet->family;
	barrier_var(family);
	ip = data + (packet->l2 == TAGGED ? TAGGED : ETHERNET);
	icmp = ip + (packet->header & 0x1ff);
	inner = icmp + 1;
	if (ip + sizeof(struct ipv6hdr) > end || inner + sizeof(struct iphdr) + 8 > end)
		return drop(COUNTER_ICMP_DROPPED);
	if (family == 4) {
		struct iphdr *ip4 = inner;
		__u16 before = ip4->check;

		transport = inner + ip4->ihl * 4;
		protocol = ip4->protocol;
		change = (__u64)(__u32)~ip4->saddr + quoted->source[0] + (__u32)~ip4->daddr + quoted->destination[0];
		nat_write_addresses(inner, quoted->source, quoted->destination, 4);
		header_change = (__u64)(__u16)~before + ip4->check;
	} else {
		__u32 *words = inner;

		if (inner + sizeof(struct ipv6hdr) > end)
			return drop(COUNTER_ICMP_DROPPED);
		transport = inner + sizeof(struct ipv6hdr);
		protocol = ((struct ipv6hdr *)inner)->nexthdr;
		change = nat_change(&words[2], quoted->source, 6) + nat_change(&words[6], quoted->destination, 6);
		nat_write_addresses(inner, quoted->source, quoted->destination, 6);
		/* ICMPv6 has the outer addresses in its checksum. */
		header_change = nat_change(packet->source, outer->source, 6) +
				nat_change(packet->destination, outer->destination, 6);
	}
	ports = transport;
	if ((void *)(ports + 1) > end)
		return drop(COUNTER_ICMP_DROPPED);
	change += (__u64)(__u32)~*ports + quoted->ports;
	*ports = quoted->ports;
	header_change += nat_quoted_checksum(transport, end, protocol, change);
	icmp->checksum = nat_checksum(icmp->checksum, fold_sum(change) + header_change);
	nat_write_link(data, outer->hop);
	nat_write_addresses(ip, outer->source, outer->destination, family);
	return XDP_TX;
}

#endif
