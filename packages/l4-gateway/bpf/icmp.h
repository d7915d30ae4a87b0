/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP and ICMPv6. An error about a packet that a real has sent as the VIP goes to that real: it quotes the packet, whose
 * ends are those of the flow, exchanged. Echo requests for a VIP are answered. Neighbour discovery is the host's.
 */
#ifndef ICMP_H
#define ICMP_H

#include "layout.h"
#include "lookup.h"
#include "packet.h"
#include "reply.h"

#define ICMP4_TIME_EXCEEDED 11
#define ICMP4_PARAMETER_PROBLEM 12
#define ICMP6_UNREACHABLE 1
#define ICMP6_PARAMETER_PROBLEM 4

/* Multicast listener and neighbour discovery: what keeps a link alive. */
#define ICMP6_LINK_FIRST 130
#define ICMP6_LINK_LAST 137
#define ICMP6_LISTENER2 143

static INLINE int is_icmp(const struct packet *packet)
{
	return packet->protocol == (packet->family == 4 ? IPPROTO_ICMP : NEXT_ICMP6);
}

static INLINE int is_icmp_error(const struct packet *packet, __u8 type)
{
	if (packet->family == 4)
		return type == ICMP4_UNREACHABLE || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER_PROBLEM;
	return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER_PROBLEM;
}

static INLINE int is_of_the_link(const struct packet *packet, __u8 type)
{
	return packet->family == 6 &&
	       ((type >= ICMP6_LINK_FIRST && type <= ICMP6_LINK_LAST) || type == ICMP6_LISTENER2);
}

static INLINE int is_echo_request(const struct packet *packet, const struct icmp *icmp)
{
	return icmp->type == (packet->family == 4 ? ICMP4_ECHO : ICMP6_ECHO) && icmp->code == 0;
}

/*
 * The flow of a quoted packet, seen from the client. Errors quote at least 8 bytes behind the IP header, and the ports are
 * the first four of them.
 */
static INLINE int read_quoted4(struct packet *flow, struct iphdr *ip, void *end)
{
	__u32 header, *ports;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return 0;
	header = ip->ihl * 4;
	flow->source[0] = ip->daddr;
	flow->destination[0] = ip->saddr;
	flow->protocol = ip->protocol;
	if (ip->frag_off & bpf_htons(IP_FRAGMENT)) {
		flow->shape = SHAPE_FRAGMENT;
		return 1;
	}
	ports = (void *)ip + header;
	if ((void *)(ports + 1) > end)
		return 0;
	flow->ports = *ports >> 16 | *ports << 16;
	return 1;
}

static INLINE int read_quoted6(struct packet *flow, struct ipv6hdr *ip, void *end)
{
	__u32 *ports = (void *)(ip + 1);

	if ((void *)(ports + 1) > end || ip->version != 6)
		return 0;
	__builtin_memcpy(flow->source, &ip->daddr, 16);
	__builtin_memcpy(flow->destination, &ip->saddr, 16);
	flow->protocol = ip->nexthdr;
	/* A fragment's place is in a header of its own; its protocol is the first byte there. */
	if (flow->protocol == NEXT_FRAGMENT) {
		flow->protocol = *(__u8 *)ports;
		flow->shape = SHAPE_FRAGMENT;
		return 1;
	}
	flow->ports = *ports >> 16 | *ports << 16;
	return 1;
}

static INLINE int is_same_address(const __u32 *a, const __u32 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

static INLINE int is_tcp_or_udp(const struct packet *packet)
{
	return packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP;
}

/* ICMP for the address of a VIP that nobody is to get. */
static INLINE int refuse_icmp(const struct packet *packet)
{
	return is_vip_address(packet) ? drop(COUNTER_ICMP_DROPPED) : XDP_PASS;
}

/*
 * What to do about an ICMP packet: a verdict, or GO_ON with the flow that it is about.
 */
static __noinline int read_icmp(struct xdp_md *context, const struct packet *packet, struct packet *flow)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct icmp *icmp;
	int is_read;

	if (!packet || !flow)
		return XDP_PASS;
	icmp = data + link_bytes(packet) + header_bytes(packet);
	if (packet->bytes - packet->header < sizeof(*icmp) || (void *)(icmp + 1) > end)
		return refuse_icmp(packet);
	if (is_of_the_link(packet, icmp->type))
		return XDP_PASS;
	if (is_echo_request(packet, icmp)) {
		struct vip vip = find_entry(packet, 0, entry_of(ENTRY_ADDRESS, 0));

		if (!vip.number)
			return XDP_PASS;
		if (vip.flags & VIP_NO_ECHO || packet->shape)
			return drop(COUNTER_ICMP_DROPPED);
		return answer_echo(context, packet);
	}
	if (!is_icmp_error(packet, icmp->type))
		return refuse_icmp(packet);
	flow->family = packet->family;
	is_read = packet->family == 4 ? read_quoted4(flow, (void *)(icmp + 1), end) :
					read_quoted6(flow, (void *)(icmp + 1), end);
	/* The packet that a router complains about came from the address that it tells. */
	if (!is_read || !is_tcp_or_udp(flow) || !is_same_address(flow->destination, packet->destination))
		return refuse_icmp(packet);
	return GO_ON;
}

#endif
