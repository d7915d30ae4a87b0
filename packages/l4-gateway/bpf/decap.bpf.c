/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The receiving end of the tunnels, at a real: takes the outer header off packets of gateways and leaves the inner one to
 * the host, which has the VIP. Either in XDP or, where the driver or another program stands in the way, at TCX ingress.
 *
 * Beside it a clamp for TCX egress: the MSS that the real offers, so that clients send segments that fit into the tunnel.
 */
#include "decap.h"

#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#define GO_ON -1 /* to the next program, and in the end to the host */
#define HEADERS 128 /* Ethernet, two IP headers and what is between them, with room to spare */

/* Linux 6.3; younger than the headers of many distributions. */
#define DECAP_L3_IPV4 (1ULL << 7)
#define DECAP_L3_IPV6 (1ULL << 8)

SEC("xdp")
int decapsulate(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct plan plan = {};
	__u64 addresses_head;
	__u32 addresses_tail;
	char *moved;
	int verdict = judge(data, end, end - data, &plan);

	if (verdict <= 0)
		return verdict == LEAVE ? XDP_PASS : XDP_DROP;
	moved = (char *)data + plan.strip;
	if (moved + sizeof(struct ethhdr) > (char *)end)
		return XDP_DROP;
	addresses_head = *(__u64 *)data;
	addresses_tail = *(__u32 *)(data + 8);
	*(__u64 *)moved = addresses_head;
	*(__u32 *)(moved + 8) = addresses_tail;
	*(__be16 *)(moved + 12) = plan.inner_family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	if (bpf_xdp_adjust_head(context, (int)plan.strip)) {
		count(DECAP_FAILED);
		return XDP_DROP;
	}
	count(plan.kind);
	return XDP_PASS;
}

/* A virtual interface sends a frame back (XDP_TX) only to a peer that has a program of its own: this one will do. */
SEC("xdp")
int pass(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("tc")
int decapsulate_tc(struct __sk_buff *skb)
{
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	struct plan plan = {};
	void *data, *end;
	int verdict;

	bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	verdict = judge(data, end, skb->len, &plan);
	if (verdict <= 0)
		return verdict == LEAVE ? GO_ON : TC_ACT_SHOT;
	/* The helper keeps Ethernet in place and changes its type when it is told that the family changes. */
	if (plan.inner_family != plan.outer_family)
		flags |= plan.inner_family == 4 ? DECAP_L3_IPV4 : DECAP_L3_IPV6;
	if (bpf_skb_adjust_room(skb, -(int)plan.strip, BPF_ADJ_ROOM_MAC, flags)) {
		count(DECAP_FAILED);
		return TC_ACT_SHOT;
	}
	if (plan.inner_family != plan.outer_family) {
		__be16 type = plan.inner_family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);

		bpf_skb_store_bytes(skb, 12, &type, sizeof(type), 0);
	}
	count(plan.kind);
	return GO_ON;
}

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define TCP_SYN 2
#define OPTION_BYTES 40

/* Where the MSS is, from the start of the packet; 0: there is none. */
static INLINE __u32 find_mss(struct __sk_buff *skb, __u32 tcp, __u32 header)
{
	__u32 at = sizeof(struct tcphdr);
	__u8 option[2];

	for (int i = 0; i < OPTION_BYTES; i++) {
		if (at + 4 > header || bpf_skb_load_bytes(skb, tcp + at, option, 2))
			return 0;
		if (option[0] == OPTION_END)
			return 0;
		if (option[0] == OPTION_NOP) {
			at += 1;
			continue;
		}
		if (option[0] == OPTION_MSS)
			return option[1] == 4 ? tcp + at + 2 : 0;
		if (option[1] < 2)
			return 0;
		at += option[1];
	}
	return 0;
}

static INLINE void clamp(struct __sk_buff *skb, __u32 tcp, __u16 largest)
{
	__u8 offset, flags;
	__be16 mss, wanted = bpf_htons(largest);
	__u32 at;

	if (bpf_skb_load_bytes(skb, tcp + 12, &offset, 1) || bpf_skb_load_bytes(skb, tcp + 13, &flags, 1))
		return;
	if (!(flags & TCP_SYN))
		return;
	at = find_mss(skb, tcp, (offset >> 4) * 4);
	if (!at || bpf_skb_load_bytes(skb, at, &mss, 2) || bpf_ntohs(mss) <= largest)
		return;
	/* An option may begin at an odd byte, and the checksum is over words that begin at even ones. */
	if ((at - tcp) & 1)
		bpf_l4_csum_replace(skb, tcp + 16, __builtin_bswap16(mss), __builtin_bswap16(wanted), 2);
	else
		bpf_l4_csum_replace(skb, tcp + 16, mss, wanted, 2);
	bpf_skb_store_bytes(skb, at, &wanted, 2, 0);
	count(DECAP_CLAMPED);
}

SEC("tc")
int clamp_mss(struct __sk_buff *skb)
{
	struct prefix_key key = {};
	__u8 first, protocol;

	if (skb->protocol == bpf_htons(ETH_P_IP) && largest_mss4) {
		if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &first, 1) ||
		    bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + 9, &protocol, 1) ||
		    bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + 12, key.address, 4))
			return GO_ON;
		if (protocol == IPPROTO_TCP && holds(&vips, key.address, 4))
			clamp(skb, sizeof(struct ethhdr) + (first & 15) * 4, largest_mss4);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6) && largest_mss6) {
		if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + 6, &protocol, 1) ||
		    bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + 8, key.address, 16))
			return GO_ON;
		if (protocol == IPPROTO_TCP && holds(&vips, key.address, 6))
			clamp(skb, sizeof(struct ethhdr) + sizeof(struct ipv6hdr), largest_mss6);
	}
	return GO_ON;
}

EVENKEEL_LICENSE;
