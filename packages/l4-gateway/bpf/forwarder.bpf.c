/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Forwards packets for virtual addresses to reals, which answer the client directly.
 *
 * The stages: parse, guard, flow cache, and only on a miss VIP, guard for new flows and ring; then count and send in the
 * way of the real. What is not for a VIP goes on to the host (XDP_PASS).
 *
 * They are written twice. `forward_any` has all the rules. `forward_plain4` and `forward_plain6` are the same for what
 * nearly all packets are - untagged, TCP or UDP, no options, no fragments, IP in IP, a VIP without flags - and hand over
 * everything else before they have changed anything.
 */
#include "encapsulate.h"
#include "flow_cache.h"
#include "guard.h"
#include "icmp.h"
#include "layout.h"
#include "lookup.h"
#include "nat.h"
#include "packet.h"
#include "plain.h"
#include "quic.h"
#include "reply.h"
#include "ring.h"
#include "trace.h"

struct scratch {
	struct packet packet;
	struct packet flow; /* what an ICMP error is about */
	__u32 target;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

static INLINE int is_syn(__u32 tcp_flags)
{
	return (tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* The target that the cache names, if it is still what it was and the flow was not silent for too long. */
static INLINE struct target *known_target(struct flow *flow, __u32 number, __u8 protocol, __u32 tcp_flags)
{
	struct target *target = bpf_map_lookup_elem(&targets, &number);
	__u64 state = flow->state, next = touched(state, tcp_flags);

	if (!target || !state || target->generation != (state >> STATE_GENERATION_SHIFT & STATE_GENERATION))
		return 0;
	/* Once a second for each flow, and no store otherwise. */
	if (next != state) {
		if (is_stale(state, target, protocol))
			return 0;
		flow->state = next;
	}
	return target;
}

static INLINE __u32 spread_of(const struct packet *flow)
{
	return flow->source[0] ^ flow->source[1] ^ flow->source[2] ^ flow->source[3] ^ flow->ports;
}

/*
 * The last stage, for every kind of forwarding. `flow` is the packet itself, or what an ICMP error is about: who sees the
 * outside of the packets of a flow sees the same.
 */
static __noinline int send_packet(struct xdp_md *context, const struct packet *packet, const struct packet *flow,
				  __u32 number)
{
	struct target *target = bpf_map_lookup_elem(&targets, &number);
	struct inner inner = {};

	if (!packet || !flow || !target)
		return XDP_ABORTED;
	inner.bytes = packet->bytes;
	inner.spread = spread_of(flow);
	inner.traffic_class = packet->traffic_class;
	inner.protocol = packet->family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	inner.tag_bytes = packet->l2 - ETHERNET;
	trace(TRACE_SEND, number, target->forward);
	if (packet->bytes > target->max_bytes)
		return tell_too_big(context, packet, target->max_bytes);
	if (target->forward == FORWARD_RESET)
		return packet->protocol == IPPROTO_TCP ? answer_reset(context, packet) : drop(COUNTER_NO_REAL);
	count_traffic(&number, packet->bytes);
	if (target->forward == FORWARD_LOCAL) {
		count(COUNTER_LOCAL);
		return XDP_PASS;
	}
	if (target->forward == FORWARD_NAT)
		return nat_out(context, packet, flow, number);
	return encapsulate(context, target, &inner);
}

/* The ring that the VIP has for this source. */
static INLINE __u32 ring_of(const struct packet *flow, const struct vip *vip)
{
	struct source_key key = { .bits = flow->family == 4 ? 64 : 160, .vip = vip->number };
	const __u32 *slot;

	if (!(vip->flags & VIP_SOURCE_ROUTES))
		return vip->ring;
	__builtin_memcpy(key.address, flow->source, 16);
	slot = bpf_map_lookup_elem(&source_routes, &key);
	return slot ? *slot : vip->ring;
}

/* Place on the ring, by what counts for this VIP. */
static INLINE __u32 hash_for(const struct packet *flow, __u32 flags)
{
	__u32 source[4] = {}, destination[4] = {}, ports = flow->ports;

	if (!(flags & VIP_NO_SOURCE))
		__builtin_memcpy(source, flow->source, 16);
	if (!(flags & VIP_NO_DESTINATION))
		__builtin_memcpy(destination, flow->destination, 16);
	if (flags & VIP_NO_SOURCE_PORT)
		ports &= 0xffff0000;
	if (flags & VIP_NO_DESTINATION_PORT)
		ports &= 0xffff;
	if (flags & VIP_THREE_TUPLE)
		ports = flow->protocol;
	if (flow->family == 4)
		return ring_hash4(source[0], destination[0], ports);
	return ring_hash6(source, destination, ports);
}

/* What has no VIP. Addresses of VIPs are not served by the host, so what no VIP takes there is dropped. */
static INLINE int not_for_a_vip(const struct packet *packet, const struct packet *flow)
{
	if (packet != flow)
		return refuse_icmp(packet);
	if (packet->shape & SHAPE_FRAGMENT)
		return is_vip_address(packet) ? drop(COUNTER_FRAGMENT) : XDP_PASS;
	if (is_extension(packet->protocol) && packet->family == 6)
		return is_vip_address(packet) ? drop(COUNTER_OPTIONS) : XDP_PASS;
	if (is_tcp_or_udp(packet))
		count(COUNTER_PASSED_NO_VIP);
	return XDP_PASS;
}

/* No VIP takes it. */
#define NO_VIP_TAKES -2

/*
 * From the VIP to the number of a target, in `*number`; GO_ON when there is one. `flow` is the packet itself, or what an
 * ICMP error is about.
 */
static __noinline int choose_target(struct xdp_md *context, struct packet *packet, struct packet *flow, __u32 *number)
{
	union {
		__u64 word;
		struct vip vip;
	} found;
	struct target *target;
	struct lookup lookup;
	struct bucket *bucket;
	int way = NO_WAY, is_about_another, verdict;
	__u32 kind;

	if (!packet || !flow || !number)
		return XDP_ABORTED;
	is_about_another = packet != flow;
	found.word = flow->shape & SHAPE_FRAGMENT ? find_fragment_vip(flow) : find_vip(flow);
	if (!found.vip.number)
		return NO_VIP_TAKES;
	trace(TRACE_VIP, found.vip.number, found.vip.flags);
	if (inspect_all) {
		verdict = guard_packet(packet, found.vip.number);
		if (verdict != GO_ON)
			return verdict;
	}
	if (packet->shape & SHAPE_OPTIONS && !(found.vip.flags & VIP_OPTIONS))
		return drop(COUNTER_OPTIONS);
	kind = flow->protocol;
	if (found.vip.flags & (VIP_THREE_TUPLE | VIP_QUIC))
		kind |= FLOW_APART;
	if (found.vip.flags & VIP_THREE_TUPLE)
		flow->ports = 0;

	if (found.vip.flags & VIP_QUIC && !is_about_another && flow->protocol == IPPROTO_UDP) {
		*number = quic_target(context, packet, found.vip.number);
		trace(TRACE_QUIC, *number, 0);
		if (new_target(number, &found.vip))
			return GO_ON;
	}

	lookup = flow->family == 4 ?
			 lookup_of4(flow->source[0], flow->destination[0], flow->ports, kind) :
			 lookup_of6(flow->source, flow->destination, flow->ports, kind);
	bucket = find_bucket(&lookup);
	if (!bucket)
		return drop(COUNTER_NO_REAL);
	way = find_way(bucket, &lookup);
	if (way != NO_WAY && !is_syn(flow->tcp_flags)) {
		struct flow *known = &bucket->ways[way & (WAYS - 1)];

		*number = target_in(known->state);
		target = known_target(known, *number, flow->protocol, flow->tcp_flags);
		trace(TRACE_CACHE, *number, target != 0);
		if (target)
			return GO_ON;
	}

	if ((inspect_all || found.vip.flags & VIP_GUARDED) && !is_about_another) {
		verdict = guard_flow(packet, found.vip.number);
		if (verdict != GO_ON)
			return verdict;
	}
	*number = target_at(ring_of(flow, &found.vip), hash_for(flow, found.vip.flags));
	target = new_target(number, &found.vip);
	trace(TRACE_RING_PLACE, *number, 0);
	if (!target)
		return drop(COUNTER_NO_REAL);
	if (is_about_another)
		return GO_ON;
	count(COUNTER_NEW_FLOW);
	if (!(flow->tcp_flags & TCP_RST))
		store_flow(bucket, way, &lookup, state_of(target, *number));
	return GO_ON;
}

/* One stage after the other, none inside another: their stacks do not add up. */
static INLINE int forward_flow(struct xdp_md *context, struct packet *packet, struct packet *flow, __u32 *number)
{
	int verdict = choose_target(context, packet, flow, number);

	if (verdict == GO_ON)
		return send_packet(context, packet, flow, *number);
	if (verdict != NO_VIP_TAKES)
		return verdict;
	trace(TRACE_NO_VIP, 0, 0);
	verdict = nat_back(context, packet, flow);
	return verdict == GO_ON ? not_for_a_vip(packet, flow) : verdict;
}

/* A packet that has been read. */
static INLINE int forward_read(struct xdp_md *context, struct scratch *scratch)
{
	struct packet *packet = &scratch->packet, *flow = packet;
	int verdict;

	if (is_icmp(packet)) {
		if (packet->shape & SHAPE_FRAGMENT)
			return is_vip_address(packet) ? drop(COUNTER_FRAGMENT) : XDP_PASS;
		flow = &scratch->flow;
		*flow = (struct packet){};
		verdict = read_icmp(context, packet, flow);
		if (verdict != GO_ON)
			return verdict;
		trace(TRACE_ICMP, 0, 0);
	}
	verdict = forward_flow(context, packet, flow, &scratch->target);
	if (flow != packet && verdict == XDP_TX)
		count(COUNTER_ICMP_FORWARDED);
	return verdict;
}

/*
 * Every packet, by all the rules. Not static: the verifier then looks at it once, and not for each call. Its records are in
 * a map, because the stack of all nested calls together is 512 bytes.
 */
__noinline int forward_any(struct xdp_md *context)
{
	__u32 zero = 0;
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &zero);
	int verdict;

	if (!scratch)
		return XDP_ABORTED;
	scratch->packet = (struct packet){};
	verdict = read_packet(&scratch->packet, context);
	if (trace_on)
		trace_begin(context, &scratch->packet);
	if (verdict == GO_ON)
		verdict = forward_read(context, scratch);
	if (trace_on)
		trace_end(context, verdict);
	return verdict;
}

static INLINE int forward_frame(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct ethhdr *eth = data;
	int verdict = GO_ON;

	if (!inspect_all && data + ETHERNET <= end) {
		if (eth->h_proto == bpf_htons(ETH_P_IP))
			verdict = forward_plain4(context);
		else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
			verdict = forward_plain6(context);
	}
	return verdict == GO_ON ? forward_any(context) : verdict;
}

SEC("xdp")
int forward(struct xdp_md *context)
{
	return forward_frame(context);
}

/*
 * The same with a program of somebody else's behind it, which gets what is left to the host. A program of its own, because
 * a tail call costs two nanoseconds where it is not taken.
 */
SEC("xdp")
int forward_chained(struct xdp_md *context)
{
	int verdict = forward_frame(context);

	if (verdict == XDP_PASS)
		bpf_tail_call(context, &next, 0);
	return verdict;
}

EVENKEEL_LICENSE;
