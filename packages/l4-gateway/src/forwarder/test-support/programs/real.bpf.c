/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the other side of a test needs: a real that takes the outer header off, and a peer for XDP_TX on a veth. */
#include <evenkeel/bpf.h>

#define IP4_BYTES 20

SEC("xdp")
int decapsulate(struct xdp_md *context)
{
	char *data = (char *)(long)context->data, *end = (char *)(long)context->data_end;
	__u64 addresses;
	__u32 rest;

	if (data + 54 > end || *(__u16 *)(data + 12) != bpf_htons(0x0800) || data[14] != 0x45 || data[23] != 4)
		return XDP_PASS;
	addresses = *(__u64 *)data;
	rest = *(__u32 *)(data + 8);
	*(__u64 *)(data + IP4_BYTES) = addresses;
	*(__u32 *)(data + IP4_BYTES + 8) = rest;
	*(__u16 *)(data + IP4_BYTES + 12) = bpf_htons(0x0800);
	return bpf_xdp_adjust_head(context, IP4_BYTES) ? XDP_DROP : XDP_PASS;
}

/* A virtual interface sends a frame back (XDP_TX) only to a peer that has a program of its own. */
SEC("xdp")
int pass(struct xdp_md *context)
{
	return XDP_PASS;
}

EVENKEEL_LICENSE;
