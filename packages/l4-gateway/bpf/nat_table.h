/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections of full NAT. A source port of the gateway belongs to one connection, whatever its real: so what comes back is
 * found by an index, and what goes out by a hash of the flow.
 *
 * A port is given out by a compare-and-exchange on its slot, so CPUs need neither locks nor shares of their own. Slots that
 * were silent for too long are taken over; nothing has to sweep the table.
 */
#ifndef NAT_TABLE_H
#define NAT_TABLE_H

#include "layout.h"
#include "packet.h"

#define NAT_SOURCES 16 /* of each family */
/* Slots that are tried for a new connection, from one taken at random (RFC 6056, section 3.3.1). */
#define NAT_PROBES 16

/* Bits of nat_connection.seen */
#define NAT_FIN_OUT 1
#define NAT_FIN_BACK 2
#define NAT_RESET 4
#define NAT_ANSWERED 8
#define NAT_CONFIRMED 16 /* the client has gone on after an answer, so its address is its own */

enum nat_slot_state {
	NAT_FREE,
	NAT_CLAIMED, /* being filled */
	NAT_OPEN,
};

struct nat_connection {
	__u8 client[16]; /* IPv4 takes the first four, and zeros follow */
	__u8 vip[16];
	__u8 real[16];
	__be16 client_port;
	__be16 vip_port;
	__be16 real_port;
	__u8 protocol;
	__u8 family;
	__u32 target;
	__u32 generation; /* of the target */
	__u32 state; /* enum nat_slot_state */
	__u32 expires; /* in nat_time */
	__u8 client_hop[6]; /* the station that the client's packets come from */
	__u16 seen;
	__u32 spare[2];
} __attribute__((aligned(32)));

struct nat_key4 {
	__u32 source;
	__u32 destination;
	__u32 ports;
	__u32 protocol;
};

struct nat_key6 {
	__u32 source[4];
	__u32 destination[4];
	__u32 ports;
	__u32 protocol;
};

/* The gateway's own addresses, IPv4 first four bytes, and how many there are. No NAT without. */
const volatile __u32 nat_sources4[NAT_SOURCES];
const volatile __u32 nat_sources6[NAT_SOURCES * 4];
const volatile __u32 nat_count4;
const volatile __u32 nat_count6;
/* Ports of each address. */
const volatile __u32 nat_first_port = 1024;
const volatile __u32 nat_ports = 64512;
/* In nat_time. */
const volatile __u32 nat_idle_opening = 30;
const volatile __u32 nat_idle_tcp = 7200;
const volatile __u32 nat_idle_closing = 60;
const volatile __u32 nat_idle_udp = 120;

/* Not on the stack, of which all nested calls together have 512 bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nat_key6);
} nat_keys SEC(".maps");

/* Slots of IPv4 first: an address after the other, a port after the other. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nat_connection);
} nat_connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct nat_key4);
	__type(value, __u32);
} nat_flows4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct nat_key6);
	__type(value, __u32);
} nat_flows6 SEC(".maps");

EVENKEEL_EXPORT_TYPE(enum nat_slot_state);

/* Seconds, nearly: 2^30 ns. */
static INLINE __u32 nat_time(void)
{
	return bpf_ktime_get_coarse_ns() >> 30;
}

#define NAT_NO_SLOT 0xffffffff

/* The slot of a source address and port of ours. */
static INLINE __u32 nat_slot(const __u32 *address, __be16 port, __u8 family)
{
	__u32 index = NAT_NO_SLOT, offset = bpf_ntohs(port) - nat_first_port;

	if (offset >= nat_ports)
		return NAT_NO_SLOT;
	if (family == 4) {
		for (__u32 i = 0; i < NAT_SOURCES; i++) {
			if (i >= nat_count4)
				break;
			if (nat_sources4[i] == address[0])
				index = i;
		}
	} else {
		for (__u32 i = 0; i < NAT_SOURCES; i++) {
			const volatile __u32 *own = &nat_sources6[4 * i];

			if (i >= nat_count6)
				break;
			if (own[0] == address[0] && own[1] == address[1] && own[2] == address[2] && own[3] == address[3])
				index = nat_count4 + i;
		}
	}
	return index == NAT_NO_SLOT ? index : index * nat_ports + offset;
}

/* Is this an address of the pool, whatever the port? */
static INLINE int nat_is_source(const __u32 *address, __u8 family)
{
	return nat_slot(address, bpf_htons(nat_first_port), family) != NAT_NO_SLOT;
}

/* The source address and port that a slot stands for. */
struct nat_source {
	__u32 address[4];
	__be16 port;
};

static INLINE struct nat_source nat_source_of(__u32 slot, __u8 family)
{
	__u32 index = slot / nat_ports;
	struct nat_source source = { .port = bpf_htons(nat_first_port + slot % nat_ports) };

	if (family == 4) {
		source.address[0] = nat_sources4[index & (NAT_SOURCES - 1)];
	} else {
		index = (index - nat_count4) & (NAT_SOURCES - 1);
#pragma unroll
		for (int i = 0; i < 4; i++)
			source.address[i] = nat_sources6[4 * index + i];
	}
	return source;
}

static INLINE struct nat_key6 *nat_key_of(const void *source, const void *destination, __u32 ports, __u32 protocol)
{
	__u32 zero = 0;
	struct nat_key6 *key = bpf_map_lookup_elem(&nat_keys, &zero);

	if (!key)
		return 0;
	__builtin_memcpy(key->source, source, 16);
	__builtin_memcpy(key->destination, destination, 16);
	key->ports = ports;
	key->protocol = protocol;
	return key;
}

static INLINE __u32 *nat_find(const struct packet *flow)
{
	if (flow->family == 4) {
		struct nat_key4 key = {
			.source = flow->source[0],
			.destination = flow->destination[0],
			.ports = flow->ports,
			.protocol = flow->protocol,
		};

		return bpf_map_lookup_elem(&nat_flows4, &key);
	}
	struct nat_key6 *key = nat_key_of(flow->source, flow->destination, flow->ports, flow->protocol);

	return key ? bpf_map_lookup_elem(&nat_flows6, key) : 0;
}

static INLINE long nat_remember(const struct packet *flow, __u32 slot)
{
	if (flow->family == 4) {
		struct nat_key4 key = {
			.source = flow->source[0],
			.destination = flow->destination[0],
			.ports = flow->ports,
			.protocol = flow->protocol,
		};

		return bpf_map_update_elem(&nat_flows4, &key, &slot, BPF_ANY);
	}
	struct nat_key6 *key = nat_key_of(flow->source, flow->destination, flow->ports, flow->protocol);

	return key ? bpf_map_update_elem(&nat_flows6, key, &slot, BPF_ANY) : -1;
}

/* Takes the flow of a slot out of the hash, unless another slot has it by now. */
static INLINE void nat_forget(const struct nat_connection *connection, __u32 slot)
{
	__u32 ports = connection->client_port | (__u32)connection->vip_port << 16, *known;

	if (connection->family == 4) {
		struct nat_key4 key = {
			.source = *(__u32 *)connection->client,
			.destination = *(__u32 *)connection->vip,
			.ports = ports,
			.protocol = connection->protocol,
		};

		known = bpf_map_lookup_elem(&nat_flows4, &key);
		if (known && *known == slot)
			bpf_map_delete_elem(&nat_flows4, &key);
		return;
	}
	struct nat_key6 *key = nat_key_of(connection->client, connection->vip, ports, connection->protocol);

	known = key ? bpf_map_lookup_elem(&nat_flows6, key) : 0;
	if (known && *known == slot)
		bpf_map_delete_elem(&nat_flows6, key);
}

static INLINE int nat_is_closed(const struct nat_connection *connection)
{
	const __u32 both = NAT_FIN_OUT | NAT_FIN_BACK;

	return connection->seen & NAT_RESET || (connection->seen & both) == both;
}

/* How long a connection may be silent. */
static INLINE __u32 nat_idle(const struct nat_connection *connection)
{
	if (connection->protocol == IPPROTO_UDP)
		return nat_idle_udp;
	if (nat_is_closed(connection))
		return nat_idle_closing;
	return connection->seen & NAT_CONFIRMED ? nat_idle_tcp : nat_idle_opening;
}

static INLINE int nat_is_stale(const struct nat_connection *connection, __u32 now)
{
	return (__s32)(now - connection->expires) > 0;
}

/* The target of a connection, unless it has left or does not take NAT any more. */
static INLINE struct target *nat_target(const struct nat_connection *connection)
{
	__u32 number = connection->target;
	struct target *target = bpf_map_lookup_elem(&targets, &number);

	return target && target->family && target->generation == connection->generation ? target : 0;
}

/* Written once a second, and when the connection enters another state. */
static INLINE void nat_touch(struct nat_connection *connection, __u32 now, __u32 seen)
{
	__u32 expires;

	if ((connection->seen & seen) != seen)
		connection->seen |= seen;
	expires = now + nat_idle(connection);
	if (connection->expires != expires)
		connection->expires = expires;
}

/* A slot for a new connection, claimed; or NAT_NO_SLOT. */
static __noinline __u32 nat_claim(__u32 family, __u32 now)
{
	__u32 first = family == 4 ? 0 : nat_count4 * nat_ports;
	__u32 slots = (family == 4 ? nat_count4 : nat_count6) * nat_ports;
	__u32 start = (__u64)bpf_get_prandom_u32() * slots >> 32;

	for (__u32 i = 0; i < NAT_PROBES; i++) {
		__u32 at = start + i, slot;
		struct nat_connection *connection;
		__u32 state;

		slot = first + (at >= slots ? at - slots : at);
		connection = bpf_map_lookup_elem(&nat_connections, &slot);
		/* A pool of fewer ports than probes comes round again. */
		if (!connection || i >= slots)
			break;
		state = connection->state;
		if (state == NAT_OPEN ? !nat_is_stale(connection, now) : state == NAT_CLAIMED)
			continue;
		if (__sync_val_compare_and_swap(&connection->state, state, NAT_CLAIMED) == state)
			return slot;
	}
	return NAT_NO_SLOT;
}

#endif
