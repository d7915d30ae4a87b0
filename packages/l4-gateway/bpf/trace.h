/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The tracer: packets that a filter picks are reported as they come, at each step, and as they leave. Off, it costs the test
 * of one variable; on, every packet takes the long way, and those that are picked cost microseconds.
 */
#ifndef TRACE_H
#define TRACE_H

#include "layout.h"
#include "packet.h"

#define TRACE_BYTES 256 /* of a packet that are reported; a power of two */
#define TRACE_RING (1 << 20)

enum trace_step {
	TRACE_IN, /* as it came; with the packet */
	TRACE_VIP, /* number: of the VIP; detail: its flags */
	TRACE_NO_VIP,
	TRACE_CACHE, /* number: of the target that the flow cache names */
	TRACE_RING_PLACE, /* number: of the target that the ring names */
	TRACE_QUIC, /* number: of the target that the connection id names */
	TRACE_SEND, /* number: of the target; detail: enum forward_kind */
	TRACE_NAT_BACK, /* an answer of a real */
	TRACE_ICMP, /* an error about a flow */
	TRACE_REASON, /* number: enum counter, why it was dropped */
	TRACE_OUT, /* number: the verdict; with the packet as it leaves */
};

struct trace_record {
	__u64 time; /* ns since boot */
	__u32 packet; /* the same for all steps of one packet */
	__u32 step; /* enum trace_step */
	__u32 number;
	__u32 detail;
	__u32 cpu;
	__u32 length; /* of the frame */
	__u32 captured; /* bytes of it that follow */
	__u32 interface;
	__u8 data[TRACE_BYTES];
};

/* Steps without a packet are shorter. */
#define TRACE_SHORT __builtin_offsetof(struct trace_record, data)

/* Which packets. What is zero matches everything; addresses count as far as their masks say. */
struct trace_filter {
	__u32 source[4];
	__u32 source_mask[4];
	__u32 destination[4];
	__u32 destination_mask[4];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 family;
	__u16 spare;
	__u32 one_in; /* of those that match; 0 and 1: all */
	__u32 per_second; /* packets at most, on each CPU */
};

struct trace_state {
	__u64 second;
	__u32 traced; /* in this second */
	__u32 current; /* the packet that is being traced; 0: none */
	__u32 next;
	__u32 refused; /* of a packet that could not be read: why, plus one */
};

/* Not zero: trace. */
__u32 trace_on;
struct trace_filter trace_filter;
/* Records that found no room in the ring. */
__u64 trace_lost;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, TRACE_RING);
} traces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace_state);
} trace_states SEC(".maps");

EVENKEEL_EXPORT_TYPE(enum trace_step);
EVENKEEL_EXPORT_TYPE(struct trace_record);

static INLINE struct trace_state *trace_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&trace_states, &zero);
}

static INLINE int trace_matches(const struct packet *packet)
{
	const struct trace_filter *filter = &trace_filter;

#pragma unroll
	for (int i = 0; i < 4; i++) {
		if ((packet->source[i] ^ filter->source[i]) & filter->source_mask[i])
			return 0;
		if ((packet->destination[i] ^ filter->destination[i]) & filter->destination_mask[i])
			return 0;
	}
	if (filter->family && filter->family != packet->family)
		return 0;
	if (filter->protocol && filter->protocol != packet->protocol)
		return 0;
	if (filter->source_port && filter->source_port != (packet->ports & 0xffff))
		return 0;
	if (filter->destination_port && filter->destination_port != packet->ports >> 16)
		return 0;
	return filter->one_in < 2 || bpf_get_prandom_u32() % filter->one_in == 0;
}

static INLINE void trace_head(struct trace_record *record, __u32 packet, enum trace_step step, __u32 number)
{
	record->time = bpf_ktime_get_ns();
	record->packet = packet;
	record->step = step;
	record->number = number;
	record->cpu = bpf_get_smp_processor_id();
	record->captured = 0;
	record->length = 0;
	record->interface = 0;
	record->detail = 0;
}

/* A step with the packet as it is now. */
static __noinline void trace_packet(struct xdp_md *context, __u32 packet, enum trace_step step, __u32 number)
{
	struct trace_record *record = bpf_ringbuf_reserve(&traces, sizeof(*record), 0);
	__u8 *data = (__u8 *)(long)context->data, *end = (__u8 *)(long)context->data_end;
	__u32 captured = 0;

	if (!record) {
		trace_lost += 1;
		return;
	}
	trace_head(record, packet, step, number);
	for (__u32 i = 0; i < TRACE_BYTES; i++) {
		if (data + i + 1 > end)
			break;
		record->data[i] = data[i];
		captured = i + 1;
	}
	record->length = end - data;
	record->captured = captured;
	record->interface = context->ingress_ifindex;
	bpf_ringbuf_submit(record, 0);
}

static __noinline void trace_short(enum trace_step step, __u32 number, __u32 detail)
{
	struct trace_state *state = trace_state();
	struct trace_record *record;

	if (!state)
		return;
	if (!state->current) {
		if (step == TRACE_REASON)
			state->refused = number + 1;
		return;
	}
	record = bpf_ringbuf_reserve(&traces, TRACE_SHORT, 0);
	if (!record) {
		trace_lost += 1;
		return;
	}
	trace_head(record, state->current, step, number);
	record->detail = detail;
	bpf_ringbuf_submit(record, 0);
}

static INLINE void trace(enum trace_step step, __u32 number, __u32 detail)
{
	if (trace_on)
		trace_short(step, number, detail);
}

static INLINE void trace_reason(enum counter reason)
{
	trace(TRACE_REASON, reason, 0);
}

/* Whether this packet is picked, once it has been read as far as it could be. */
static __noinline void trace_begin(struct xdp_md *context, const struct packet *packet)
{
	struct trace_state *state = trace_state();
	__u64 second = bpf_ktime_get_coarse_ns() >> 30;
	__u32 refused;

	if (!state || !packet)
		return;
	refused = state->refused;
	state->refused = 0;
	if (!trace_matches(packet))
		return;
	if (state->second != second) {
		state->second = second;
		state->traced = 0;
	}
	if (state->traced >= trace_filter.per_second)
		return;
	state->traced += 1;
	/* Numbers of different CPUs differ in the upper bits. */
	state->next = (state->next + 1) & 0xffffff;
	state->current = bpf_get_smp_processor_id() << 24 | (state->next ? state->next : 1);
	trace_packet(context, state->current, TRACE_IN, 0);
	if (refused)
		trace_short(TRACE_REASON, refused - 1, 0);
}

static __noinline void trace_end(struct xdp_md *context, __u32 verdict)
{
	struct trace_state *state = trace_state();

	if (!state || !state->current)
		return;
	trace_packet(context, state->current, TRACE_OUT, verdict);
	state->current = 0;
}

#endif
