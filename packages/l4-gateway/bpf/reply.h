/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets that the gateway answers itself, back to where they came from. At most `replies_per_second` on each CPU. */
#ifndef REPLY_H
#define REPLY_H

#include "layout.h"
#include "packet.h"

#define REPLY_TTL 64

/* Bytes of the packet that an error quotes: in IPv4 all of the longest header and some more, in IPv6 extension headers. */
#define QUOTE4 96
#define QUOTE6 256

#define IP6_MINIMUM_MTU 1280

#define ICMP4_ECHO_REPLY 0
#define ICMP4_UNREACHABLE 3
#define ICMP4_FRAGMENTATION_NEEDED 4
#define ICMP4_ECHO 8
#define ICMP6_TOO_BIG 2
#define ICMP6_ECHO 128
#define ICMP6_ECHO_REPLY 129

struct icmp {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__be32 rest;
};

/* A clock that is read rarely enough to be asked; 2^30 ns are a second for this purpose. */
static __noinline int may_reply(void)
{
	__u32 zero = 0;
	__u64 second = bpf_ktime_get_coarse_ns() >> 30;
	struct reply_limit *limit = bpf_map_lookup_elem(&reply_limits, &zero);

	if (!limit)
		return 0;
	if (limit->second != second) {
		limit->second = second;
		limit->sent = 0;
	}
	if (limit->sent >= replies_per_second) {
		count(COUNTER_REPLY_LIMITED);
		return 0;
	}
	limit->sent += 1;
	return 1;
}

/* RFC 1071: folded to 16 bits, and the complement of that. */
static INLINE __u16 checksum_of(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* RFC 1624, equation 3. */
static INLINE __u16 adjust_checksum(__u16 checksum, __u16 before, __u16 after)
{
	return checksum_of((__u64)(__u16)~checksum + (__u16)~before + after);
}

struct link {
	__u32 to_head;
	__u16 to_tail;
	__u16 from_head;
	__u32 from_tail;
	__u32 tag; /* VLAN, if there is one */
};

static INLINE struct link read_link(const void *data, __u32 l2)
{
	struct link link = {
		.to_head = *(__u32 *)data,
		.to_tail = *(__u16 *)(data + 4),
		.from_head = *(__u16 *)(data + 6),
		.from_tail = *(__u32 *)(data + 8),
		.tag = l2 == TAGGED ? *(__u32 *)(data + 12) : 0,
	};

	return link;
}

/* Back to the station that the frame came from, with the tag that it came with. */
static INLINE void write_link_back(void *data, const struct link *link, __u32 l2, __be16 type)
{
	*(__u16 *)data = link->from_head;
	*(__u32 *)(data + 2) = link->from_tail;
	*(__u32 *)(data + 6) = link->to_head;
	*(__u16 *)(data + 10) = link->to_tail;
	if (l2 == TAGGED)
		*(__u32 *)(data + 12) = link->tag;
	*(__be16 *)(data + (l2 == TAGGED ? 16 : 12)) = type;
}

static INLINE void write_ip4(struct iphdr *ip, __u32 bytes, __u8 protocol, const struct packet *to)
{
	__u32 *words = (__u32 *)ip;
	__u64 sum;

	words[0] = 0x45 | (__u32)bpf_htons(bytes) << 16;
	words[1] = bpf_htons(IP_DONT_FRAGMENT) << 16;
	words[3] = to->destination[0];
	words[4] = to->source[0];
	sum = (__u64)words[0] + words[1] + words[3] + words[4] + (REPLY_TTL | protocol << 8);
	words[2] = REPLY_TTL | protocol << 8 | (__u32)checksum_of(sum) << 16;
}

static INLINE void write_ip6(struct ipv6hdr *ip, __u32 bytes, __u8 protocol, const struct packet *to)
{
	__u32 *words = (__u32 *)ip;

	words[0] = 0x60;
	words[1] = bpf_htons(bytes) | (__u32)protocol << 16 | (__u32)REPLY_TTL << 24;
	__builtin_memcpy(&words[2], to->destination, 16);
	__builtin_memcpy(&words[6], to->source, 16);
}

/* The part of an IPv6 checksum that is not in the packet (RFC 8200, section 8.1). */
static INLINE __u64 pseudo_header6(const struct packet *packet, __u32 bytes, __u8 protocol)
{
	__u64 sum = (__u64)bpf_htonl(bytes) + bpf_htonl(protocol);

#pragma unroll
	for (int i = 0; i < 4; i++)
		sum += (__u64)packet->source[i] + packet->destination[i];
	return sum;
}

/* An echo request for a VIP, turned round in place. */
static INLINE int answer_echo(struct xdp_md *context, const struct packet *packet)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	__u32 l2, header;
	struct icmp *icmp;
	struct link link;
	void *ip;
	__u16 before, checksum;

	if (!packet || !may_reply())
		return XDP_DROP;
	l2 = link_bytes(packet);
	header = packet->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	ip = data + l2;
	icmp = ip + header;
	if (data + TAGGED > end || (void *)(icmp + 1) > end)
		return drop(COUNTER_TRUNCATED);
	link = read_link(data, l2);
	write_link_back(data, &link, l2, packet->family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6));
	before = *(__u16 *)icmp;
	if (packet->family == 4) {
		struct iphdr *ip4 = ip;
		__u16 old = *(__u16 *)&ip4->ttl;

		ip4->ttl = REPLY_TTL;
		ip4->check = adjust_checksum(ip4->check, old, *(__u16 *)&ip4->ttl);
		ip4->saddr = packet->destination[0];
		ip4->daddr = packet->source[0];
		icmp->type = ICMP4_ECHO_REPLY;
	} else {
		struct ipv6hdr *ip6 = ip;

		ip6->hop_limit = REPLY_TTL;
		__builtin_memcpy(&ip6->saddr, packet->destination, 16);
		__builtin_memcpy(&ip6->daddr, packet->source, 16);
		icmp->type = ICMP6_ECHO_REPLY;
	}
	/* Of a message that is all zeros only 0xffff is right, and of any other it is as good as 0. */
	checksum = adjust_checksum(icmp->checksum, before, *(__u16 *)icmp);
	icmp->checksum = checksum ? checksum : 0xffff;
	count(COUNTER_ECHO_ANSWERED);
	return XDP_TX;
}

/* "Fragmentation needed" (RFC 792, RFC 1191) from the VIP to the sender. */
static INLINE int tell_too_big4(struct xdp_md *context, const struct packet *packet, __u32 mtu)
{
	const __u32 body = sizeof(struct icmp) + QUOTE4, grow = sizeof(struct iphdr) + sizeof(struct icmp);
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	int rest;
	__u32 l2;
	struct iphdr *ip;
	struct icmp *icmp;
	struct link link;

	if (!packet)
		return XDP_DROP;
	l2 = link_bytes(packet);
	ip = data + l2;
	if (data + TAGGED > end || (void *)(ip + 1) > end || !(ip->frag_off & bpf_htons(IP_DONT_FRAGMENT)) || !may_reply())
		return drop(COUNTER_TOO_BIG);
	link = read_link(data, l2);
	rest = (int)(end - data) - (int)(l2 + QUOTE4);
	if (rest < 0 || bpf_xdp_adjust_tail(context, -rest) || bpf_xdp_adjust_head(context, -(int)grow))
		return drop(COUNTER_TOO_BIG);
	data = (void *)(long)context->data;
	end = (void *)(long)context->data_end;
	ip = data + l2;
	icmp = (void *)(ip + 1);
	if (data + TAGGED > end || (void *)icmp + body > end)
		return drop(COUNTER_TOO_BIG);
	write_link_back(data, &link, l2, bpf_htons(ETH_P_IP));
	write_ip4(ip, sizeof(*ip) + body, IPPROTO_ICMP, packet);
	icmp->type = ICMP4_UNREACHABLE;
	icmp->code = ICMP4_FRAGMENTATION_NEEDED;
	icmp->checksum = 0;
	icmp->rest = bpf_htonl(mtu);
	icmp->checksum = checksum_of(bpf_csum_diff(0, 0, (__be32 *)icmp, body, 0));
	count(COUNTER_TOO_BIG_SENT);
	return XDP_TX;
}

/* "Packet too big" (RFC 4443, section 3.2). */
static INLINE int tell_too_big6(struct xdp_md *context, const struct packet *packet, __u32 mtu)
{
	const __u32 body = sizeof(struct icmp) + QUOTE6, grow = sizeof(struct ipv6hdr) + sizeof(struct icmp);
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	int rest;
	__u32 l2;
	struct ipv6hdr *ip;
	struct icmp *icmp;
	struct link link;
	__u64 sum;

	if (!packet || mtu < IP6_MINIMUM_MTU)
		return drop(COUNTER_TOO_BIG);
	l2 = link_bytes(packet);
	if (data + TAGGED > end || !may_reply())
		return drop(COUNTER_TOO_BIG);
	link = read_link(data, l2);
	rest = (int)(end - data) - (int)(l2 + QUOTE6);
	if (rest < 0 || bpf_xdp_adjust_tail(context, -rest) || bpf_xdp_adjust_head(context, -(int)grow))
		return drop(COUNTER_TOO_BIG);
	data = (void *)(long)context->data;
	end = (void *)(long)context->data_end;
	ip = data + l2;
	icmp = (void *)(ip + 1);
	if (data + TAGGED > end || (void *)icmp + body > end)
		return drop(COUNTER_TOO_BIG);
	write_link_back(data, &link, l2, bpf_htons(ETH_P_IPV6));
	write_ip6(ip, body, NEXT_ICMP6, packet);
	icmp->type = ICMP6_TOO_BIG;
	icmp->code = 0;
	icmp->checksum = 0;
	icmp->rest = bpf_htonl(mtu);
	sum = pseudo_header6(packet, body, NEXT_ICMP6);
	icmp->checksum = checksum_of(sum + (__u32)bpf_csum_diff(0, 0, (__be32 *)icmp, body, 0));
	count(COUNTER_TOO_BIG_SENT);
	return XDP_TX;
}

/* A packet that does not fit once it is encapsulated: its sender is told the size that does, if it asked for that. */
static __noinline int tell_too_big(struct xdp_md *context, const struct packet *packet, __u32 mtu)
{
	if (!packet)
		return XDP_DROP;
	if (packet->family == 4)
		return tell_too_big4(context, packet, mtu);
	return tell_too_big6(context, packet, mtu);
}

/* The reset that a host without the connection answers with (RFC 9293, section 3.10.7.1); never to a reset. */
static __noinline int answer_reset(struct xdp_md *context, const struct packet *packet)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	__u8 family;
	__u32 l2, ip_bytes, *words, sequence, acknowledgement, payload;
	struct tcphdr *tcp;
	struct link link;
	int surplus;
	__u64 sum;

	if (!packet || packet->tcp_flags & TCP_RST || !may_reply())
		return drop(COUNTER_NO_REAL);
	l2 = link_bytes(packet);
	tcp = data + l2 + header_bytes(packet);
	if (data + TAGGED > end || (void *)(tcp + 1) > end)
		return drop(COUNTER_TRUNCATED);
	link = read_link(data, l2);
	payload = packet->bytes - packet->header - tcp->doff * 4 + !!(packet->tcp_flags & TCP_SYN) +
		  !!(packet->tcp_flags & TCP_FIN);
	sequence = packet->tcp_flags & TCP_ACK ? tcp->ack_seq : 0;
	acknowledgement = packet->tcp_flags & TCP_ACK ? 0 : bpf_htonl(bpf_ntohl(tcp->seq) + payload);
	family = packet->family; /* read once: the verifier takes two readings for two values */
	ip_bytes = family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	surplus = (int)(end - data) - (int)(l2 + ip_bytes + sizeof(*tcp));
	if (surplus < 0 || bpf_xdp_adjust_tail(context, -surplus))
		return drop(COUNTER_NO_REAL);
	data = (void *)(long)context->data;
	end = (void *)(long)context->data_end;
	words = data + l2 + ip_bytes;
	if (data + TAGGED > end || (void *)(words + 5) > end)
		return drop(COUNTER_NO_REAL);
	words[0] = packet->ports >> 16 | packet->ports << 16;
	words[1] = sequence;
	words[2] = acknowledgement;
	words[3] = 0x50 | (TCP_RST | (packet->tcp_flags & TCP_ACK ? 0 : TCP_ACK)) << 8;
	words[4] = 0;
	sum = pseudo_header6(packet, sizeof(*tcp), IPPROTO_TCP) + words[0] + words[1] + words[2] + words[3];
	words[4] = checksum_of(sum);
	if (family == 4) {
		write_link_back(data, &link, l2, bpf_htons(ETH_P_IP));
		write_ip4(data + l2, sizeof(struct iphdr) + sizeof(*tcp), IPPROTO_TCP, packet);
	} else {
		write_link_back(data, &link, l2, bpf_htons(ETH_P_IPV6));
		write_ip6(data + l2, sizeof(*tcp), IPPROTO_TCP, packet);
	}
	count(COUNTER_RESET_SENT);
	return XDP_TX;
}

#endif
