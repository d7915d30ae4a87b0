/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the forwarder is weighed against, and the wrapper that makes repeated runs comparable. */
#include <evenkeel/bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} candidate SEC(".maps");

__u64 turn; /* packets so far */
__u64 missed; /* tail calls that did not happen */
__u32 frame_bytes;
__u32 flow_mask; /* which bits of `turn` tell flows apart; 0: one flow */
__u32 is_ip6;
__u32 restores; /* whether the IP and TCP headers are written anew, for programs that change them */
__u64 headers[5]; /* what they are */
__u32 returned_bytes; /* length of frames that are counted */
__u64 returned; /* how many came */

/* Takes off what the last run put in front, writes the Ethernet header anew, and gives the packet its flow. */
static __always_inline int prepare(struct xdp_md *context)
{
	int grown = (int)(context->data_end - context->data) - (int)frame_bytes;
	char *data, *end;

	if (grown > 0 && grown < 128 && bpf_xdp_adjust_head(context, grown))
		return -1;
	data = (char *)(long)context->data;
	end = (char *)(long)context->data_end;
	if (data + 54 > end)
		return -1;
	*(__u64 *)data = 0x0002020000000002ULL;
	*(__u32 *)(data + 8) = 0x01000000;
	*(__u16 *)(data + 12) = is_ip6 ? 0xdd86 : 0x0008;
	if (restores) {
#pragma unroll
		for (int i = 0; i < 5; i++)
			*(__u64 *)(data + 14 + 8 * i) = headers[i];
	}
	if (flow_mask) {
		__u64 now = turn;

		turn = now + 1;
		*(__u32 *)(data + (is_ip6 ? 34 : 26)) = (__u32)(now & flow_mask) * 2654435761u;
	}
	return 0;
}

/* A test run does not restore the packet between repetitions. This does, and only then calls the candidate. */
SEC("xdp")
int wrap(struct xdp_md *context)
{
	if (prepare(context))
		return XDP_ABORTED;
	bpf_tail_call(context, &candidate, 0);
	missed += 1;
	return XDP_ABORTED;
}

/* Makes frames that are sent. */
SEC("xdp")
int generate(struct xdp_md *context)
{
	return prepare(context) ? XDP_ABORTED : XDP_TX;
}

/* Where they come back. */
SEC("xdp")
int swallow(struct xdp_md *context)
{
	if (context->data_end - context->data == returned_bytes)
		__sync_fetch_and_add(&returned, 1);
	return XDP_DROP;
}

SEC("xdp")
int send_back(struct xdp_md *context)
{
	return XDP_TX;
}

SEC("xdp")
int grow(struct xdp_md *context)
{
	return bpf_xdp_adjust_head(context, -20) ? XDP_DROP : XDP_TX;
}

/* As little as an encapsulation can be: room, and 34 bytes that are always the same. */
SEC("xdp")
int encapsulate(struct xdp_md *context)
{
	__u32 *words;
	__u16 *halves;
	char *data;

	if (bpf_xdp_adjust_head(context, -20))
		return XDP_DROP;
	data = (char *)(long)context->data;
	if (data + 34 > (char *)(long)context->data_end)
		return XDP_DROP;
	words = (__u32 *)data;
	words[0] = 2;
	words[1] = 0x0300;
	words[2] = 1;
	halves = (__u16 *)(data + 12);
	halves[0] = 8;
	halves[1] = 0x45;
	halves[2] = 0x4200;
	halves[3] = 0;
	halves[4] = 0;
	halves[5] = 0x0440;
	halves[6] = 0x1234;
	halves[7] = 1;
	halves[8] = 2;
	halves[9] = 3;
	halves[10] = 4;
	return XDP_TX;
}

EVENKEEL_LICENSE;
