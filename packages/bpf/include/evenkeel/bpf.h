/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a BPF program needs beyond the kernel's own headers: map definitions, sections, helpers, byte order.
 *
 * Takes the place of libbpf's bpf_helpers.h, so that compiling needs clang, bpftool and the kernel's UAPI headers only.
 * A helper that is missing here can be declared in the same way: its number is in <linux/bpf.h>.
 */
#ifndef EVENKEEL_BPF_H
#define EVENKEEL_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>

#define SEC(name) __attribute__((section(name), used))
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define __noinline __attribute__((noinline))

/* Members of a map definition. BTF keeps the numbers as lengths of arrays. */
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]

/* A program whose types the kernel's BPF helpers restrict has to say that it is free software. */
#define EVENKEEL_LICENSE char evenkeel_license[] SEC("license") = "Dual BSD/GPL"

/* Makes a struct known to the generated TypeScript module that no map and no variable mentions: a ring buffer's record. */
#define EVENKEEL_EXPORT_TYPE(type) EVENKEEL_EXPORT_TYPE_(type, __COUNTER__)
#define EVENKEEL_EXPORT_TYPE_(type, n) EVENKEEL_EXPORT_TYPE__(type, n)
#define EVENKEEL_EXPORT_TYPE__(type, n) \
	typeof(type) *evenkeel_export_##n __attribute__((section(".evenkeel.types"), used))

/* The compiler may neither reorder nor merge what is on either side. */
#define barrier() asm volatile("" ::: "memory")
/* The compiler forgets what it knows about a value, and so keeps a bounds check that the verifier has to see. */
#define barrier_var(value) asm volatile("" : "+r"(value))

#define bpf_htons(x) __builtin_bswap16(x)
#define bpf_ntohs(x) __builtin_bswap16(x)
#define bpf_htonl(x) __builtin_bswap32(x)
#define bpf_ntohl(x) __builtin_bswap32(x)

#define EVENKEEL_HELPER(result, name, ...) \
	static result (*const bpf_##name)(__VA_ARGS__) = (void *)BPF_FUNC_##name

struct xdp_md;
struct __sk_buff;
struct bpf_sock_addr;
struct bpf_sock;
struct sockaddr;

EVENKEEL_HELPER(void *, map_lookup_elem, void *map, const void *key);
EVENKEEL_HELPER(long, map_update_elem, void *map, const void *key, const void *value, __u64 flags);
EVENKEEL_HELPER(long, map_delete_elem, void *map, const void *key);
EVENKEEL_HELPER(long, map_push_elem, void *map, const void *value, __u64 flags);
EVENKEEL_HELPER(long, map_pop_elem, void *map, void *value);
EVENKEEL_HELPER(void *, map_lookup_percpu_elem, void *map, const void *key, __u32 cpu);

EVENKEEL_HELPER(__u64, ktime_get_ns, void);
EVENKEEL_HELPER(__u64, ktime_get_coarse_ns, void);
EVENKEEL_HELPER(__u32, get_prandom_u32, void);
EVENKEEL_HELPER(__u32, get_smp_processor_id, void);
EVENKEEL_HELPER(__u64, get_current_pid_tgid, void);
EVENKEEL_HELPER(__u64, get_current_cgroup_id, void);
EVENKEEL_HELPER(__u64, get_socket_cookie, void *context);
EVENKEEL_HELPER(__u64, get_netns_cookie, void *context);

EVENKEEL_HELPER(long, tail_call, void *context, void *programs, __u32 index);
EVENKEEL_HELPER(long, redirect, __u32 ifindex, __u64 flags);
EVENKEEL_HELPER(long, redirect_map, void *map, __u64 key, __u64 flags);
EVENKEEL_HELPER(long, fib_lookup, void *context, struct bpf_fib_lookup *params, int size, __u32 flags);
EVENKEEL_HELPER(__s64, csum_diff, __be32 *from, __u32 from_size, __be32 *to, __u32 to_size, __wsum seed);

EVENKEEL_HELPER(long, xdp_adjust_head, struct xdp_md *context, int delta);
EVENKEEL_HELPER(long, xdp_adjust_tail, struct xdp_md *context, int delta);
EVENKEEL_HELPER(long, xdp_adjust_meta, struct xdp_md *context, int delta);
EVENKEEL_HELPER(long, xdp_load_bytes, struct xdp_md *context, __u32 offset, void *to, __u32 size);
EVENKEEL_HELPER(long, xdp_store_bytes, struct xdp_md *context, __u32 offset, void *from, __u32 size);

EVENKEEL_HELPER(long, skb_load_bytes, const void *skb, __u32 offset, void *to, __u32 size);
EVENKEEL_HELPER(long, skb_store_bytes, struct __sk_buff *skb, __u32 offset, const void *from, __u32 size, __u64 flags);
EVENKEEL_HELPER(long, skb_adjust_room, struct __sk_buff *skb, __s32 delta, __u32 mode, __u64 flags);
EVENKEEL_HELPER(long, skb_change_type, struct __sk_buff *skb, __u32 type);
EVENKEEL_HELPER(long, skb_pull_data, struct __sk_buff *skb, __u32 size);
EVENKEEL_HELPER(long, clone_redirect, struct __sk_buff *skb, __u32 ifindex, __u64 flags);
EVENKEEL_HELPER(long, l3_csum_replace, struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 size);
EVENKEEL_HELPER(long, l4_csum_replace, struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 flags);

EVENKEEL_HELPER(long, sk_assign, void *context, void *socket, __u64 flags);
EVENKEEL_HELPER(long, sk_release, void *socket);
EVENKEEL_HELPER(void *, sk_storage_get, void *map, void *socket, void *value, __u64 flags);
EVENKEEL_HELPER(long, sk_storage_delete, void *map, void *socket);
EVENKEEL_HELPER(long, setsockopt, void *socket, int level, int option, void *value, int size);
EVENKEEL_HELPER(long, getsockopt, void *socket, int level, int option, void *value, int size);
EVENKEEL_HELPER(long, bind, struct bpf_sock_addr *context, struct sockaddr *address, int size);

EVENKEEL_HELPER(void *, ringbuf_reserve, void *ring, __u64 size, __u64 flags);
EVENKEEL_HELPER(void, ringbuf_submit, void *record, __u64 flags);
EVENKEEL_HELPER(void, ringbuf_discard, void *record, __u64 flags);
EVENKEEL_HELPER(long, ringbuf_output, void *ring, void *data, __u64 size, __u64 flags);
EVENKEEL_HELPER(__u64, ringbuf_query, void *ring, __u64 flags);
EVENKEEL_HELPER(long, trace_printk, const char *format, __u32 size, ...);
EVENKEEL_HELPER(long, loop, __u32 count, void *callback, void *context, __u64 flags);

#endif
