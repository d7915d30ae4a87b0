/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which VIP a packet is for. In this order, the first that is there:
 *
 *     address, port and protocol - any port of the protocol - the port in any protocol - any port, any protocol
 *     and then the same four for prefixes, the longest prefix first in each
 *
 * Kinds that no VIP has cost nothing: `vip_kinds` says which there are.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "layout.h"
#include "packet.h"
#include "ring.h"

/* What an entry of the tables is about. */
#define ENTRY_VIP 0
#define ENTRY_ADDRESS 1 /* this address is a VIP's, whatever the port */
#define ENTRY_FRAGMENTS 2 /* the VIP that takes fragments of this protocol */

#define NO_VIP ((struct vip){})

/* The key of an IPv4 VIP is its own tag. */
static INLINE __u64 vip_tag4(__u32 address, __be16 port, __u32 protocol)
{
	return (__u64)protocol << 48 | (__u64)port << 32 | address;
}

/* `vip-directory.ts` has the same. */
static INLINE __u64 vip_tag6(const volatile __u32 *address, __be16 port, __u32 protocol)
{
	__u64 state = mix(flow_keys[33], (__u64)protocol << 16 | port);

	state = mix(state, (__u64)address[1] << 32 | address[0]);
	return mix(state, (__u64)address[3] << 32 | address[2]) | 1ULL << 63;
}

static INLINE struct vip find_tag(__u64 tag)
{
	__u32 index = tag * 0x9e3779b97f4a7c15ULL >> 54;
	const struct vip_bucket *bucket = bpf_map_lookup_elem(&vips, &index);
	const struct vip *more;

	if (!bucket)
		return NO_VIP;
#pragma unroll
	for (int i = 0; i < WAYS; i++)
		if (bucket->ways[i].tag == tag)
			return bucket->ways[i].vip;
	if (!(vip_kinds & KIND_MORE))
		return NO_VIP;
	more = bpf_map_lookup_elem(&more_vips, &tag);
	return more ? *more : NO_VIP;
}

/* Protocol and kind of an entry in one number, as the tables have them. */
static INLINE __u32 entry_of(__u8 kind, __u8 protocol)
{
	return (__u32)kind << 8 | protocol;
}

static INLINE struct vip find_exact(const struct packet *packet, __be16 port, __u32 entry)
{
	if (packet->family == 4)
		return find_tag(vip_tag4(packet->destination[0], port, entry));
	return find_tag(vip_tag6(packet->destination, port, entry));
}

static INLINE struct vip find_prefix(const struct packet *packet, __be16 port, __u32 entry)
{
	const struct vip *vip;

	if (packet->family == 4) {
		struct prefix4_key key = { .bits = 64, .kind = entry >> 8, .protocol = entry, .port = port };

		__builtin_memcpy(key.address, packet->destination, 4);
		vip = bpf_map_lookup_elem(&prefixes4, &key);
	} else {
		struct prefix6_key key = { .bits = 160, .kind = entry >> 8, .protocol = entry, .port = port };

		__builtin_memcpy(key.address, packet->destination, 16);
		vip = bpf_map_lookup_elem(&prefixes6, &key);
	}
	return vip ? *vip : NO_VIP;
}

static INLINE int has_prefixes(const struct packet *packet)
{
	return vip_kinds & (packet->family == 4 ? KIND_PREFIX4 : KIND_PREFIX6);
}

/* In the exact tables, or else among the prefixes. */
static INLINE struct vip find_entry(const struct packet *packet, __be16 port, __u32 entry)
{
	struct vip vip = find_exact(packet, port, entry);

	if (!vip.number && has_prefixes(packet))
		vip = find_prefix(packet, port, entry);
	return vip;
}

/* The VIP of a whole packet. */
static __noinline __u64 find_vip(const struct packet *packet)
{
	union {
		struct vip vip;
		__u64 word;
	} found = {};
	__be16 port;
	__u8 protocol;

	if (!packet)
		return 0;
	port = packet->ports >> 16;
	protocol = packet->protocol;
	int has_ports = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;

	if (has_ports)
		found.vip = find_exact(packet, port, protocol);
	if (!found.vip.number && has_ports && vip_kinds & KIND_ANY_PORT)
		found.vip = find_exact(packet, 0, protocol);
	if (!found.vip.number && has_ports && vip_kinds & KIND_ANY_PROTOCOL)
		found.vip = find_exact(packet, port, 0);
	if (!found.vip.number && vip_kinds & KIND_ANYTHING)
		found.vip = find_exact(packet, 0, 0);
	if (found.vip.number || !has_prefixes(packet))
		return found.word;
	if (has_ports)
		found.vip = find_prefix(packet, port, protocol);
	if (!found.vip.number && has_ports && vip_kinds & KIND_PREFIX_ANY_PORT)
		found.vip = find_prefix(packet, 0, protocol);
	if (!found.vip.number && has_ports && vip_kinds & KIND_PREFIX_ANY_PROTOCOL)
		found.vip = find_prefix(packet, port, 0);
	if (!found.vip.number && vip_kinds & KIND_PREFIX_ANYTHING)
		found.vip = find_prefix(packet, 0, 0);
	return found.word;
}

/* The VIP that takes the fragments of this address and protocol. */
static __noinline __u64 find_fragment_vip(const struct packet *packet)
{
	union {
		struct vip vip;
		__u64 word;
	} found = {};

	if (!packet || !(vip_kinds & KIND_FRAGMENTS))
		return 0;
	found.vip = find_entry(packet, 0, entry_of(ENTRY_FRAGMENTS, packet->protocol));
	if (!found.vip.number)
		found.vip = find_entry(packet, 0, entry_of(ENTRY_FRAGMENTS, 0));
	return found.word;
}

/* Does any VIP have this address? */
static __noinline int is_vip_address(const struct packet *packet)
{
	return packet && find_entry(packet, 0, entry_of(ENTRY_ADDRESS, 0)).number;
}

#endif
