/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Compiles, and the verifier refuses the second program: it reads beyond what it checked. */
#include <evenkeel/bpf.h>

SEC("xdp")
int sound(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("xdp")
int reads_unchecked(struct xdp_md *context)
{
	char *data = (char *)(long)context->data;

	return data[20] == 7 ? XDP_DROP : XDP_PASS;
}

EVENKEEL_LICENSE;
