/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading a packet, the long way: every shape that can be forwarded, and what is wrong with the others. */
#ifndef PACKET_H
#define PACKET_H

#include "layout.h"

/* Linux has these in headers that need libc. */
#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_AUTHENTICATION 51
#define NEXT_ICMP6 58
#define NEXT_DESTINATION 60

#define MAX_EXTENSIONS 6

#define IP_FRAGMENT 0x3fff /* "more fragments", or an offset */
#define IP_DONT_FRAGMENT 0x4000
#define MAX_IP4_HEADER 60

#define ETHERNET 14
#define TAGGED 18 /* Ethernet with one VLAN tag */

/* Shapes that a VIP has to allow. */
#define SHAPE_FRAGMENT 1
#define SHAPE_OPTIONS 2

struct packet {
	__u32 source[4], destination[4]; /* an IPv4 address is followed by zeros */
	__u32 ports; /* source and destination, as they lie in the packet; 0: it has none */
	__u32 bytes; /* IP header and all behind it */
	__u16 header; /* bytes from the IP header to the transport's */
	__u8 l2; /* ETHERNET or TAGGED */
	__u8 family; /* 4 or 6 */
	__u8 protocol;
	__u8 traffic_class;
	__u8 tcp_flags;
	__u8 shape;
};

/* Bytes of IP, with a bound that the verifier can see: no chain of extension headers that is followed gets there. */
static INLINE __u32 header_bytes(const struct packet *packet)
{
	return packet->header & 0x3fff;
}

static INLINE __u32 link_bytes(const struct packet *packet)
{
	return packet->l2 == TAGGED ? TAGGED : ETHERNET;
}

/* Verdict of a check: go on. XDP has no verdict with this number. */
#define GO_ON -1

static INLINE int is_extension(__u8 kind)
{
	return kind == NEXT_HOP_BY_HOP || kind == NEXT_ROUTING || kind == NEXT_DESTINATION ||
	       kind == NEXT_AUTHENTICATION || kind == NEXT_FRAGMENT;
}

/* RFC 8200, section 4, and RFC 4302 for the authentication header, which counts words of 4 bytes. */
static INLINE __u32 extension_bytes(__u8 kind, __u8 length)
{
	if (kind == NEXT_FRAGMENT)
		return 8;
	return kind == NEXT_AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
}

static INLINE int read_tcp(struct packet *packet, struct tcphdr *tcp, void *end, __u32 room)
{
	if (room < sizeof(*tcp))
		return drop(COUNTER_BAD_LENGTH);
	if ((void *)(tcp + 1) > end)
		return drop(COUNTER_TRUNCATED);
	if (tcp->doff < 5)
		return drop(COUNTER_BAD_HEADER);
	if (tcp->doff * 4 > room)
		return drop(COUNTER_BAD_LENGTH);
	packet->ports = *(__u32 *)tcp;
	packet->tcp_flags = ((__u8 *)tcp)[13];
	return GO_ON;
}

static INLINE int read_udp(struct packet *packet, struct udphdr *udp, void *end, __u32 room)
{
	__u32 length;

	if (room < sizeof(*udp))
		return drop(COUNTER_BAD_LENGTH);
	if ((void *)(udp + 1) > end)
		return drop(COUNTER_TRUNCATED);
	length = bpf_ntohs(udp->len);
	/* A fragment has the length of the whole datagram. */
	if (length < sizeof(*udp) || (length > room && !(packet->shape & SHAPE_FRAGMENT)))
		return drop(COUNTER_BAD_LENGTH);
	packet->ports = *(__u32 *)udp;
	return GO_ON;
}

/* The header behind IP; other protocols than TCP and UDP have no ports that count. */
static INLINE int read_transport(struct packet *packet, void *at, void *end)
{
	__u32 room = packet->bytes - packet->header;

	/* The ports are in the first fragment alone, so they count in none. */
	if (packet->shape & SHAPE_FRAGMENT)
		return GO_ON;
	if (packet->protocol == IPPROTO_TCP)
		return read_tcp(packet, at, end, room);
	if (packet->protocol == IPPROTO_UDP)
		return read_udp(packet, at, end, room);
	return GO_ON;
}

static INLINE int read_ip4(struct packet *packet, struct iphdr *ip, void *end)
{
	__u32 header;

	if ((void *)(ip + 1) > end)
		return drop(COUNTER_TRUNCATED);
	header = ip->ihl * 4;
	if (ip->version != 4 || header < sizeof(*ip))
		return drop(COUNTER_BAD_HEADER);
	packet->family = 4;
	packet->bytes = bpf_ntohs(ip->tot_len);
	packet->protocol = ip->protocol;
	packet->traffic_class = ip->tos;
	packet->source[0] = ip->saddr;
	packet->destination[0] = ip->daddr;
	packet->header = header;
	if (packet->bytes < header || packet->bytes > (__u32)(end - (void *)ip))
		return drop(COUNTER_BAD_LENGTH);
	if (header > sizeof(*ip))
		packet->shape |= SHAPE_OPTIONS;
	if (ip->frag_off & bpf_htons(IP_FRAGMENT))
		packet->shape |= SHAPE_FRAGMENT;
	return read_transport(packet, (void *)ip + header, end);
}

static INLINE int read_ip6(struct packet *packet, struct ipv6hdr *ip, void *end)
{
	__u32 header = sizeof(*ip);
	__u8 next;

	if ((void *)(ip + 1) > end)
		return drop(COUNTER_TRUNCATED);
	if (ip->version != 6)
		return drop(COUNTER_BAD_HEADER);
	packet->family = 6;
	packet->bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	packet->traffic_class = bpf_ntohs(*(__be16 *)ip) >> 4;
	__builtin_memcpy(packet->source, &ip->saddr, 16);
	__builtin_memcpy(packet->destination, &ip->daddr, 16);
	if (packet->bytes > (__u32)(end - (void *)ip))
		return drop(COUNTER_BAD_LENGTH);
	next = ip->nexthdr;
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		__u8 *extension = (void *)ip + header;
		int is_later = 0;

		if (!is_extension(next))
			break;
		if (extension + 8 > (__u8 *)end)
			return drop(COUNTER_TRUNCATED);
		packet->shape |= next == NEXT_FRAGMENT ? SHAPE_FRAGMENT : SHAPE_OPTIONS;
		if (next == NEXT_FRAGMENT)
			is_later = *(__be16 *)(extension + 2) & bpf_htons(0xfff8);
		header += extension_bytes(next, extension[1]);
		next = extension[0];
		/* What follows the header of a later fragment is payload. */
		if (is_later)
			break;
	}
	packet->protocol = next;
	packet->header = header;
	if (header > packet->bytes)
		return drop(COUNTER_BAD_LENGTH);
	return read_transport(packet, (void *)ip + header, end);
}

/* Ethernet with at most one VLAN tag (802.1Q or 802.1ad); what is not IP is the host's. */
static INLINE int read_packet(struct packet *packet, struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	__be16 *type = data + 12;

	packet->l2 = ETHERNET;
	if (data + ETHERNET > end)
		return XDP_PASS;
	if (*type == bpf_htons(ETH_P_8021Q) || *type == bpf_htons(ETH_P_8021AD)) {
		if (data + TAGGED > end)
			return XDP_PASS;
		type = data + 16;
		if (*type == bpf_htons(ETH_P_IP)) {
			packet->l2 = TAGGED;
			return read_ip4(packet, data + TAGGED, end);
		}
		if (*type == bpf_htons(ETH_P_IPV6)) {
			packet->l2 = TAGGED;
			return read_ip6(packet, data + TAGGED, end);
		}
		return XDP_PASS;
	}
	if (*type == bpf_htons(ETH_P_IP))
		return read_ip4(packet, data + ETHERNET, end);
	if (*type == bpf_htons(ETH_P_IPV6))
		return read_ip6(packet, data + ETHERNET, end);
	return XDP_PASS;
}

#endif
