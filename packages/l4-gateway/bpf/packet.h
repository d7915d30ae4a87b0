/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading a packet: what is forwarded, what is left to the host, what is dropped. */
#ifndef PACKET_H
#define PACKET_H

#include "layout.h"

/* Linux has these in headers that need libc. */
#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_AUTHENTICATION 51
#define NEXT_DESTINATION 60

#define IP_FRAGMENT 0x3fff /* "more fragments", or an offset */

struct packet {
	__u32 bytes; /* IP header and all behind it */
	__u32 ports; /* source and destination, as they lie in the packet */
	__u8 traffic_class;
	__u8 protocol;
};

/* Verdict of a check: go on. XDP has no verdict with this number. */
#define GO_ON -1

/*
 * A packet that cannot be forwarded by rule. For a VIP it is dropped and counted, because the host does not serve the VIP;
 * any other address is the host's business. An IPv4 address is followed by zeros.
 */
static __noinline int refuse(const __u32 *address, __u32 family, enum counter reason)
{
	struct address_key key = { .family = family };

	if (!address)
		return XDP_ABORTED;
	__builtin_memcpy(key.address, address, 16);
	return bpf_map_lookup_elem(&vip_addresses, &key) ? drop(reason) : XDP_PASS;
}

/* The header of TCP or UDP behind `header` bytes of IP. */
static INLINE int read_transport(struct packet *packet, void *at, void *end, __u32 header)
{
	__u32 room = packet->bytes - header;

	if (packet->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = at;

		if (room < sizeof(*tcp))
			return drop(COUNTER_BAD_LENGTH);
		if ((void *)(tcp + 1) > end)
			return drop(COUNTER_TRUNCATED);
		if (tcp->doff < 5)
			return drop(COUNTER_BAD_HEADER);
		if (tcp->doff * 4 > room)
			return drop(COUNTER_BAD_LENGTH);
	} else {
		struct udphdr *udp = at;
		__u32 length;

		if (room < sizeof(*udp))
			return drop(COUNTER_BAD_LENGTH);
		if ((void *)(udp + 1) > end)
			return drop(COUNTER_TRUNCATED);
		length = bpf_ntohs(udp->len);
		if (length < sizeof(*udp) || length > room)
			return drop(COUNTER_BAD_LENGTH);
	}
	packet->ports = *(__u32 *)at;
	return GO_ON;
}

static INLINE int read_ip4(struct packet *packet, struct iphdr *ip, void *end)
{
	if ((void *)(ip + 1) > end)
		return drop(COUNTER_TRUNCATED);
	if (ip->version != 4 || ip->ihl < 5)
		return drop(COUNTER_BAD_HEADER);
	packet->bytes = bpf_ntohs(ip->tot_len);
	packet->protocol = ip->protocol;
	packet->traffic_class = ip->tos;
	if (packet->bytes < ip->ihl * 4 || packet->bytes > (__u32)(end - (void *)ip))
		return drop(COUNTER_BAD_LENGTH);
	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return XDP_PASS;
	if (ip->frag_off & bpf_htons(IP_FRAGMENT) || ip->ihl > 5) {
		__u32 address[4] = { ip->daddr };

		return refuse(address, 4, ip->ihl > 5 ? COUNTER_OPTIONS : COUNTER_FRAGMENT);
	}
	return read_transport(packet, ip + 1, end, sizeof(*ip));
}

static INLINE int read_ip6(struct packet *packet, struct ipv6hdr *ip, void *end)
{
	__u32 address[4];

	if ((void *)(ip + 1) > end)
		return drop(COUNTER_TRUNCATED);
	if (ip->version != 6)
		return drop(COUNTER_BAD_HEADER);
	packet->bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	packet->protocol = ip->nexthdr;
	packet->traffic_class = bpf_ntohs(*(__be16 *)ip) >> 4;
	if (packet->bytes > (__u32)(end - (void *)ip))
		return drop(COUNTER_BAD_LENGTH);
	switch (packet->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return read_transport(packet, ip + 1, end, sizeof(*ip));
	case NEXT_FRAGMENT:
		__builtin_memcpy(address, &ip->daddr, 16);
		return refuse(address, 6, COUNTER_FRAGMENT);
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_AUTHENTICATION:
	case NEXT_DESTINATION:
		__builtin_memcpy(address, &ip->daddr, 16);
		return refuse(address, 6, COUNTER_OPTIONS);
	default:
		return XDP_PASS;
	}
}

#endif
