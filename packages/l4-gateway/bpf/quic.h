/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * QUIC: a client that moves to another address keeps its connection id, and servers put their number into the ids that
 * they hand out. The layout is the one of plain server ids in QUIC-LB: one octet of the server's choice (configuration and
 * length), then the server id, then whatever the server likes.
 *
 *     short header:  flags | first octet | server id ...
 *     long header:   flags | version (4) | length of the id | first octet | server id ...
 *
 * Initial and 0-RTT packets carry an id that the client made up, so the ring places them; a Handshake packet has the
 * server's. An id that names no real is placed by the ring too.
 */
#ifndef QUIC_H
#define QUIC_H

#include "layout.h"
#include "packet.h"

#define QUIC_LONG 0x80
#define QUIC_TYPE 0x30
#define QUIC_HANDSHAKE 0x20
#define MAX_SERVER_ID 8

/* The target that the connection id names, or 0. */
static __noinline __u32 quic_target(struct xdp_md *context, const struct packet *packet, __u32 vip)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct server_id_key key = { .vip = vip };
	const struct vip_record *record = bpf_map_lookup_elem(&vip_records, &vip);
	const __u32 *number;
	__u8 *quic, *id;
	__u32 bytes;

	if (!packet || !record)
		return 0;
	bytes = record->quic_id_bytes;
	quic = data + link_bytes(packet) + header_bytes(packet) + sizeof(struct udphdr);
	if (quic + 1 > (__u8 *)end)
		return 0;
	if (*quic & QUIC_LONG) {
		if ((*quic & QUIC_TYPE) != QUIC_HANDSHAKE || quic + 6 > (__u8 *)end || quic[5] < 1 + bytes)
			return 0;
		id = quic + 7;
	} else
		id = quic + 2;
#pragma unroll
	for (int i = 0; i < MAX_SERVER_ID; i++) {
		if (i >= bytes)
			break;
		if (id + i + 1 > (__u8 *)end)
			return 0;
		key.id[i] = id[i];
	}
	key.bytes = bytes;
	number = bpf_map_lookup_elem(&server_ids, &key);
	count(number ? COUNTER_QUIC_ROUTED : COUNTER_QUIC_UNKNOWN);
	return number ? *number : 0;
}

#endif
