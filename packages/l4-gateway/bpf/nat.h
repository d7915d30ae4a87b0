/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Full NAT, for reals that cannot take an outer header off: the packet goes to the real's address from one of the gateway's,
 * and what the real answers comes back here. Checksums change by what has changed (RFC 1624); TTL and payload stay.
 *
 * TCP and UDP, and ICMP errors about them in both directions (RFC 5508). Fragments cannot be translated.
 */
#ifndef NAT_H
#define NAT_H

#include "layout.h"
#include "nat_rewrite.h"
#include "nat_table.h"
#include "packet.h"
#include "reply.h"
#include "trace.h"

/* The slot of a known connection that goes on; NAT_NO_SLOT else. */
static __noinline __u32 nat_known(const struct packet *flow)
{
	__u32 *found, slot, now = nat_time();
	struct nat_connection *connection;

	if (!flow)
		return NAT_NO_SLOT;
	found = nat_find(flow);
	if (!found)
		return NAT_NO_SLOT;
	slot = *found;
	connection = bpf_map_lookup_elem(&nat_connections, &slot);
	if (!connection || connection->state != NAT_OPEN || nat_is_stale(connection, now))
		return NAT_NO_SLOT;
	/* A slot may have been given to another flow since. */
	if (*(__u32 *)connection->client != flow->source[0] ||
	    (connection->client_port | (__u32)connection->vip_port << 16) != flow->ports)
		return NAT_NO_SLOT;
	/* A client that begins anew, with the port that it had. */
	if ((flow->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && nat_is_closed(connection))
		return NAT_NO_SLOT;
	/* Its real has left: the port is free again. */
	if (!nat_target(connection)) {
		connection->expires = now - 1;
		return NAT_NO_SLOT;
	}
	return slot;
}

/* A source port for a new connection to a target. */
static __noinline __u32 nat_open(struct xdp_md *context, const struct packet *flow, __u32 number)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct nat_connection *connection;
	struct target *target = bpf_map_lookup_elem(&targets, &number);
	__u32 slot, now = nat_time();

	if (!flow || !target || data + sizeof(struct ethhdr) > end)
		return NAT_NO_SLOT;
	slot = nat_claim(flow->family, now);
	if (slot == NAT_NO_SLOT)
		return slot;
	connection = bpf_map_lookup_elem(&nat_connections, &slot);
	if (!connection)
		return NAT_NO_SLOT;
	if (connection->family)
		nat_forget(connection, slot);
	__builtin_memcpy(connection->client, flow->source, 16);
	__builtin_memcpy(connection->vip, flow->destination, 16);
	__builtin_memcpy(connection->real, target->address, 16);
	connection->client_port = flow->ports;
	connection->vip_port = flow->ports >> 16;
	connection->real_port = target->outer_port ? target->outer_port : flow->ports >> 16;
	connection->protocol = flow->protocol;
	connection->family = flow->family;
	connection->target = number;
	connection->generation = target->generation;
	connection->seen = 0;
	connection->expires = now + nat_idle(connection);
	__builtin_memcpy(connection->client_hop, data + 6, 6);
	/* Everything before the state, for the CPU that the answer comes to. */
	__sync_val_compare_and_swap(&connection->state, NAT_CLAIMED, NAT_OPEN);
	if (nat_remember(flow, slot)) {
		__sync_val_compare_and_swap(&connection->state, NAT_OPEN, NAT_FREE);
		return NAT_NO_SLOT;
	}
	count(COUNTER_NAT_OPENED);
	return slot;
}

static INLINE int nat_is_same(const __u8 *bytes, const __u32 *address)
{
	const __u32 *words = (const __u32 *)bytes;

	return words[0] == address[0] && words[1] == address[1] && words[2] == address[2] && words[3] == address[3];
}

static INLINE __u32 nat_flags_seen(__u32 tcp_flags, __u32 fin)
{
	return (tcp_flags & TCP_FIN ? fin : 0) | (tcp_flags & TCP_RST ? NAT_RESET : 0);
}

/* Why a flow without a connection does not get one: a verdict, or GO_ON. */
static INLINE int nat_refuse(struct xdp_md *context, const struct packet *packet, const struct packet *flow)
{
	if (!packet || !flow)
		return XDP_ABORTED;
	if (packet != flow)
		return drop(COUNTER_ICMP_DROPPED);
	if (flow->protocol != IPPROTO_TCP || flow->tcp_flags & TCP_SYN)
		return GO_ON;
	/* A connection in its midst, which another gateway may have begun: it cannot go on, and its client should know. */
	count(COUNTER_NAT_UNKNOWN);
	return answer_reset(context, packet);
}

static __noinline int nat_send(struct xdp_md *context, const struct packet *packet, const struct packet *flow, __u32 slot)
{
	struct nat_scratch *scratch = nat_scratch();
	struct nat_connection *connection = bpf_map_lookup_elem(&nat_connections, &slot);
	struct nat_source own;
	struct target *target;
	__u32 seen;

	if (!packet || !flow || !scratch || !connection)
		return XDP_ABORTED;
	target = nat_target(connection);
	if (!target)
		return drop(COUNTER_NAT_UNKNOWN);
	own = nat_source_of(slot, flow->family);
	__builtin_memcpy(scratch->ends.destination, connection->real, 16);
	__builtin_memcpy(scratch->ends.hop, target->next_hop, 6);
	if (packet != flow) {
		/* What the real sent from its address to ours, an error from there quotes as sent by the VIP. */
		scratch->quoted.ports = connection->real_port | (__u32)own.port << 16;
		__builtin_memcpy(scratch->quoted.source, connection->real, 16);
		__builtin_memcpy(scratch->quoted.destination, own.address, 16);
		/* Not from whoever found it: that may be the router that carries this on, and takes nothing that says it is its own. */
		__builtin_memcpy(scratch->ends.source, own.address, 16);
		return nat_rewrite_error(context, packet, &scratch->ends, &scratch->quoted);
	}
	seen = nat_flags_seen(flow->tcp_flags, NAT_FIN_OUT);
	if (connection->seen & NAT_ANSWERED && !(flow->tcp_flags & TCP_SYN))
		seen |= NAT_CONFIRMED;
	nat_touch(connection, nat_time(), seen);
	__builtin_memcpy(scratch->ends.source, own.address, 16);
	scratch->ends.ports = own.port | (__u32)connection->real_port << 16;
	return nat_rewrite(context, packet, &scratch->ends);
}

/*
 * From the client to the real: the one that its connection has, or target `number` if it has none yet. `flow` is the packet
 * itself, or the one that an error is about, seen from the client.
 */
static INLINE int nat_out(struct xdp_md *context, const struct packet *packet, const struct packet *flow, __u32 number)
{
	__u32 slot;
	int verdict;

	if (!(nat_count4 + nat_count6))
		return drop(COUNTER_UNKNOWN_FORWARD);
	if (packet->shape & SHAPE_FRAGMENT || !flow->ports)
		return drop(COUNTER_FRAGMENT);
	slot = nat_known(flow);
	if (slot == NAT_NO_SLOT) {
		verdict = nat_refuse(context, packet, flow);
		if (verdict != GO_ON)
			return verdict;
		slot = nat_open(context, flow, number);
		if (slot == NAT_NO_SLOT)
			return drop(COUNTER_NAT_EXHAUSTED);
	}
	return nat_send(context, packet, flow, slot);
}

/*
 * What comes to an address of the pool: from a real to its client. GO_ON when it is neither that nor ours to judge.
 */
static __noinline int nat_back(struct xdp_md *context, const struct packet *packet, const struct packet *flow)
{
	struct nat_scratch *scratch = nat_scratch();
	struct nat_connection *connection;
	struct nat_ends *ends, *quoted;
	__u32 now, slot;

	if (!packet || !flow || !scratch || !(nat_count4 + nat_count6))
		return GO_ON;
	ends = &scratch->ends;
	quoted = &scratch->quoted;
	if (flow->protocol != IPPROTO_TCP && flow->protocol != IPPROTO_UDP)
		return GO_ON;
	if (flow->shape & SHAPE_FRAGMENT)
		return nat_is_source(flow->destination, flow->family) ? drop(COUNTER_FRAGMENT) : GO_ON;
	slot = nat_slot(flow->destination, flow->ports >> 16, flow->family);
	if (slot == NAT_NO_SLOT)
		return GO_ON;
	connection = bpf_map_lookup_elem(&nat_connections, &slot);
	now = nat_time();
	if (!connection || connection->state != NAT_OPEN || connection->protocol != flow->protocol ||
	    connection->real_port != (flow->ports & 0xffff) || !nat_is_same(connection->real, flow->source) ||
	    nat_is_stale(connection, now) || !nat_target(connection))
		return drop(COUNTER_NAT_UNKNOWN);
	__builtin_memcpy(ends->source, connection->vip, 16);
	__builtin_memcpy(ends->destination, connection->client, 16);
	__builtin_memcpy(ends->hop, connection->client_hop, 6);
	count(COUNTER_NAT_RETURNED);
	trace(TRACE_NAT_BACK, connection->target, 0);
	if (packet != flow) {
		/* An error about what the client sent: quoted as the client sent it, and from the VIP for the same reason. */
		quoted->ports = connection->client_port | (__u32)connection->vip_port << 16;
		__builtin_memcpy(quoted->source, connection->client, 16);
		__builtin_memcpy(quoted->destination, connection->vip, 16);
		return nat_rewrite_error(context, packet, ends, quoted);
	}
	nat_touch(connection, now, NAT_ANSWERED | nat_flags_seen(flow->tcp_flags, NAT_FIN_BACK));
	ends->ports = connection->vip_port | (__u32)connection->client_port << 16;
	return nat_rewrite(context, packet, ends);
}

#endif
