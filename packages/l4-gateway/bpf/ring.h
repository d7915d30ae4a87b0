/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The choice for a flow that the cache does not know: place in the ring of its VIP, target. */
#ifndef RING_H
#define RING_H

#include "layout.h"

/* One step of the hash of the ring; `flow-hash.ts` has the same. */
static INLINE __u64 mix(__u64 state, __u64 word)
{
	state = (state ^ word) * 0xd6e8feb86659fd93ULL;
	return state ^ state >> 32;
}

static INLINE __u32 finish_hash(__u64 state)
{
	return mix(state, 0) >> 32;
}

static INLINE __u32 ring_hash4(__u32 source, __u32 destination, __u32 ports)
{
	return finish_hash(mix(mix(ring_seed, (__u64)ports << 32 | source), destination));
}

static INLINE __u32 ring_hash6(const volatile __u32 *source, const volatile __u32 *destination, __u32 ports)
{
	__u64 state = mix(ring_seed, ports);

	state = mix(state, (__u64)source[1] << 32 | source[0]);
	state = mix(state, (__u64)source[3] << 32 | source[2]);
	state = mix(state, (__u64)destination[1] << 32 | destination[0]);
	state = mix(state, (__u64)destination[3] << 32 | destination[2]);
	return finish_hash(state);
}

/* The target at a hash's place: the hash scaled to the size of the ring, which spares a division. 0: none. */
static INLINE __u32 target_at(__u32 slot, __u32 hash)
{
	const struct ring *ring = bpf_map_lookup_elem(&rings, &slot);
	__u64 place = (__u64)hash * RING_SIZE >> 32;

	/* Otherwise the compiler drops the check, which it knows to hold and the verifier does not. */
	barrier_var(place);
	return ring && place < RING_SIZE ? ring->targets[place] : 0;
}

/* A target that a ring or a connection id names, if it belongs to the VIP; nobody, or a ring that is being replaced. */
static INLINE struct target *new_target(const __u32 *number, const struct vip *vip)
{
	struct target *target = bpf_map_lookup_elem(&targets, number);

	return target && target->family && target->vip == vip->number ? target : 0;
}

#endif
