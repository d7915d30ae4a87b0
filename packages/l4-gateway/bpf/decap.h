/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a real accepts from its gateways: the checks of an encapsulated packet, outside and inside. */
#ifndef DECAP_H
#define DECAP_H

#include <evenkeel/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#define INLINE inline __attribute__((always_inline))

#define IP_MORE_OR_OFFSET 0x3fff
#define IP_OFFSET 0x1fff

/* ECN, the two lowest bits of the traffic class (RFC 3168). */
#define ECN_MASK 3
#define ECN_NONE 0
#define ECN_ECT1 1
#define ECN_ECT0 2
#define ECN_CE 3

#define MAX_PREFIXES 1024

enum decap_counter {
	DECAP_IPIP, /* delivered, by what was taken off */
	DECAP_GUE,
	DECAP_GRE,
	DECAP_BAD_SOURCE, /* not from a gateway's prefix */
	DECAP_NOT_VIP, /* the inner packet is for an address that is not a VIP here */
	DECAP_TRUNCATED, /* the frame ends inside a header */
	DECAP_BAD_HEADER, /* a version, a header length, or flags that are not supported */
	DECAP_BAD_LENGTH, /* lengths that contradict each other or the frame */
	DECAP_FRAGMENT, /* the outer packet is a fragment */
	DECAP_TTL, /* the inner packet may not travel on: its TTL is 0 */
	DECAP_CONGESTION, /* congestion on the way, and a transport that cannot be told (RFC 6040) */
	DECAP_FAILED, /* the kernel did not take the header off */
	DECAP_CLAMPED, /* not a drop: SYN with a smaller MSS */
	DECAP_COUNTERS,
};

/* Addresses of both families in one trie: the family first, so that prefixes of one never match the other. */
struct prefix_key {
	__u32 bits; /* 32 for the family, and those of the prefix */
	__u32 family;
	__u8 address[16];
};

enum accepted {
	ACCEPT_IPIP = 1,
	ACCEPT_GUE = 2,
	ACCEPT_GRE = 4,
};

/* Which encapsulations are taken off: bits of `enum accepted`. */
const volatile __u32 accepted = 7;
/* UDP destination port of GUE. */
const volatile __u16 gue_port = 6080;
/* The largest MSS that leaves; 0: as it is. */
const volatile __u16 largest_mss4;
const volatile __u16 largest_mss6;

/* Outer sources. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, __u32);
} gateways SEC(".maps");

/* Outer destinations: addresses of this machine. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, __u32);
} addresses SEC(".maps");

/* Inner destinations. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, __u32);
} vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DECAP_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

EVENKEEL_EXPORT_TYPE(enum decap_counter);

static INLINE void count(enum decap_counter reason)
{
	__u32 index = reason;
	__u64 *value = bpf_map_lookup_elem(&counters, &index);

	if (value)
		*value += 1;
}

/* What to do with a packet: nothing, drop it, or take `strip` bytes off between Ethernet and the inner header. */
#define LEAVE 0
#define REFUSE -1

struct plan {
	__u32 strip;
	__u32 outer_family;
	__u32 inner_family;
	enum decap_counter kind;
};

static INLINE int refuse(enum decap_counter reason)
{
	count(reason);
	return REFUSE;
}

static INLINE int holds(void *map, const void *address, __u32 family)
{
	struct prefix_key key = { .bits = 32 + (family == 4 ? 32 : 128), .family = family };

	if (family == 4)
		__builtin_memcpy(key.address, address, 4);
	else
		__builtin_memcpy(key.address, address, 16);
	return bpf_map_lookup_elem(map, &key) != 0;
}

/*
 * The congestion mark of both headers in one (RFC 6040, figure 4). -1: the packet has to be dropped, because its
 * transport does not understand the mark that a router has set for it.
 */
static INLINE int combine_ecn(__u32 outer, __u32 inner)
{
	if (outer == ECN_CE)
		return inner == ECN_NONE ? -1 : ECN_CE;
	if (outer == ECN_ECT1 && inner == ECN_ECT0)
		return ECN_ECT1;
	return inner;
}

/* Sets the two bits; a changed IPv4 header gets its checksum by the difference (RFC 1624). */
static INLINE void mark4(struct iphdr *ip, __u32 ecn)
{
	__u32 sum = (__u16)~ip->check;

	sum += (__u16)~bpf_htons(ip->tos);
	ip->tos = (ip->tos & ~ECN_MASK) | ecn;
	sum += bpf_htons(ip->tos);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~sum;
}

static INLINE int check_inner4(void *at, void *end, __u32 room, __u32 outer_ecn)
{
	struct iphdr *ip = at;
	int ecn;

	if ((void *)(ip + 1) > end)
		return refuse(DECAP_TRUNCATED);
	if (ip->version != 4 || ip->ihl < 5)
		return refuse(DECAP_BAD_HEADER);
	if (bpf_ntohs(ip->tot_len) < ip->ihl * 4 || bpf_ntohs(ip->tot_len) > room)
		return refuse(DECAP_BAD_LENGTH);
	if (!holds(&vips, &ip->daddr, 4))
		return refuse(DECAP_NOT_VIP);
	if (!ip->ttl)
		return refuse(DECAP_TTL);
	ecn = combine_ecn(outer_ecn, ip->tos & ECN_MASK);
	if (ecn < 0)
		return refuse(DECAP_CONGESTION);
	if ((ip->tos & ECN_MASK) != ecn)
		mark4(ip, ecn);
	return LEAVE;
}

static INLINE int check_inner6(void *at, void *end, __u32 room, __u32 outer_ecn)
{
	struct ipv6hdr *ip = at;
	__u8 *second = (__u8 *)at + 1;
	int ecn;

	if ((void *)(ip + 1) > end)
		return refuse(DECAP_TRUNCATED);
	if (ip->version != 6)
		return refuse(DECAP_BAD_HEADER);
	if (bpf_ntohs(ip->payload_len) + sizeof(*ip) > room)
		return refuse(DECAP_BAD_LENGTH);
	if (!holds(&vips, &ip->daddr, 6))
		return refuse(DECAP_NOT_VIP);
	if (!ip->hop_limit)
		return refuse(DECAP_TTL);
	/* The traffic class lies across the first two bytes; its last two bits are in the second. */
	ecn = combine_ecn(outer_ecn, *second >> 4 & ECN_MASK);
	if (ecn < 0)
		return refuse(DECAP_CONGESTION);
	*second = (*second & ~(ECN_MASK << 4)) | ecn << 4;
	return LEAVE;
}

/* What an outer header says. */
struct outer {
	__u32 header; /* its bytes */
	__u32 bytes; /* header and all behind it */
	__u32 ecn;
	__u32 family;
	__u32 is_fragment;
	__u8 protocol;
};

/* GRE without key, sequence number or checksum (RFC 2784); whatever else is not ours to take apart. */
static INLINE int strip_gre(__u16 *gre, void *end, struct plan *plan)
{
	if ((void *)(gre + 2) > end)
		return refuse(DECAP_TRUNCATED);
	if (gre[0])
		return refuse(DECAP_BAD_HEADER);
	if (gre[1] == bpf_htons(ETH_P_IP))
		plan->inner_family = 4;
	else if (gre[1] == bpf_htons(ETH_P_IPV6))
		plan->inner_family = 6;
	else
		return refuse(DECAP_BAD_HEADER);
	plan->strip += 4;
	plan->kind = DECAP_GRE;
	return LEAVE;
}

/*
 * GUE (draft-ietf-intarea-gue): variant 1 is an IP packet right behind UDP, told by its version; variant 0 has a header
 * of four bytes, taken without options and flags.
 */
static INLINE int strip_gue(void *at, void *end, __u32 room, struct plan *plan)
{
	struct udphdr *udp = at;
	__u8 *first = (__u8 *)(udp + 1);

	if (bpf_ntohs(udp->len) > room || bpf_ntohs(udp->len) < sizeof(*udp) + 4)
		return refuse(DECAP_BAD_LENGTH);
	if (first + 4 > (__u8 *)end)
		return refuse(DECAP_TRUNCATED);
	plan->kind = DECAP_GUE;
	plan->strip += sizeof(*udp);
	if (*first >> 4 == 4 || *first >> 4 == 6) {
		plan->inner_family = *first >> 4;
		return LEAVE;
	}
	if (first[0] || first[2] || first[3])
		return refuse(DECAP_BAD_HEADER);
	if (first[1] == IPPROTO_IPIP)
		plan->inner_family = 4;
	else if (first[1] == IPPROTO_IPV6)
		plan->inner_family = 6;
	else
		return refuse(DECAP_BAD_HEADER);
	plan->strip += 4;
	return LEAVE;
}

/* Whether this is an encapsulation that is accepted; a UDP packet that is cut in front of its ports is the host's. */
static INLINE int is_tunnel(const struct outer *outer, void *at, void *end)
{
	struct udphdr *udp = at;

	switch (outer->protocol) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return accepted & ACCEPT_IPIP;
	case IPPROTO_GRE:
		return accepted & ACCEPT_GRE;
	case IPPROTO_UDP:
		return accepted & ACCEPT_GUE && (void *)(udp + 1) <= end && udp->dest == bpf_htons(gue_port);
	default:
		return 0;
	}
}

static INLINE int strip_tunnel(const struct outer *outer, void *at, void *end, struct plan *plan)
{
	switch (outer->protocol) {
	case IPPROTO_GRE:
		return strip_gre(at, end, plan);
	case IPPROTO_UDP:
		return strip_gue(at, end, outer->bytes - outer->header, plan);
	default:
		plan->inner_family = outer->protocol == IPPROTO_IPIP ? 4 : 6;
		plan->kind = DECAP_IPIP;
		return LEAVE;
	}
}

/*
 * Judges a frame of `bytes`, of which data to end can be read. 0: not ours. REFUSE: drop, counted. Else `plan` says how
 * much to take off, and the inner header carries its congestion mark already.
 */
static INLINE int judge(void *data, void *end, __u32 bytes, struct plan *plan)
{
	struct ethhdr *eth = data;
	struct outer outer = {};
	void *source, *destination, *at;
	int verdict;

	if ((void *)(eth + 1) > end)
		return LEAVE;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end)
			return LEAVE;
		/* The host's stack knows how to refuse a header that is none, and how to read options. */
		if (ip->version != 4 || ip->ihl != 5 || (ip->frag_off & bpf_htons(IP_OFFSET) && ip->protocol == IPPROTO_UDP))
			return LEAVE;
		outer.family = 4;
		outer.header = sizeof(*ip);
		outer.bytes = bpf_ntohs(ip->tot_len);
		outer.ecn = ip->tos & ECN_MASK;
		outer.protocol = ip->protocol;
		outer.is_fragment = ip->frag_off & bpf_htons(IP_MORE_OR_OFFSET);
		source = &ip->saddr;
		destination = &ip->daddr;
		at = ip + 1;
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end || ip->version != 6)
			return LEAVE;
		outer.family = 6;
		outer.header = sizeof(*ip);
		outer.bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
		outer.ecn = *((__u8 *)ip + 1) >> 4 & ECN_MASK;
		outer.protocol = ip->nexthdr;
		source = &ip->saddr;
		destination = &ip->daddr;
		at = ip + 1;
	} else {
		return LEAVE;
	}
	if (!is_tunnel(&outer, at, end) || !holds(&addresses, destination, outer.family))
		return LEAVE;
	if (!holds(&gateways, source, outer.family))
		return refuse(DECAP_BAD_SOURCE);
	if (outer.is_fragment)
		return refuse(DECAP_FRAGMENT);
	if (outer.bytes < outer.header || outer.bytes + sizeof(*eth) > bytes)
		return refuse(DECAP_BAD_LENGTH);
	plan->outer_family = outer.family;
	plan->strip = outer.header;
	verdict = strip_tunnel(&outer, at, end, plan);
	if (verdict)
		return verdict;
	if (outer.bytes < plan->strip)
		return refuse(DECAP_BAD_LENGTH);
	at = data + sizeof(*eth) + plan->strip;
	verdict = plan->inner_family == 4 ? check_inner4(at, end, outer.bytes - plan->strip, outer.ecn) :
					    check_inner6(at, end, outer.bytes - plan->strip, outer.ecn);
	return verdict ? verdict : 1;
}

#endif
