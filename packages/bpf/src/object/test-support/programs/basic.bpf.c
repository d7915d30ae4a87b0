/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One program of each kind that is attached in the tests, and one map of each kind that they use. */
#include <evenkeel/bpf.h>

enum verdict { VERDICT_DROP = 1, VERDICT_PASS = 2 };

struct address {
	__be32 ip4;
	__be16 port;
	__u8 protocol;
};

struct backend {
	struct address address;
	__u8 mac[6];
	__s16 weight;
	__u64 packets;
	enum verdict verdict;
	_Bool enabled;
};

struct event {
	__u64 at_ns;
	__be32 ip4;
	__be16 port;
	__u16 family;
};
EVENKEEL_EXPORT_TYPE(struct event);

struct table {
	__u32 slots[65537];
};

const volatile __u32 emit_events = 1;
const volatile __u8 signature[8] = "evenkeel";
volatile __u64 seen;
volatile __u64 seen_by_connect;
volatile __u64 compared;
volatile __u64 torn;
volatile __u32 verdict = VERDICT_PASS;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct address);
	__type(value, struct backend);
} backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 128);
	__type(key, __u32);
	__type(value, __u64);
} recent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5000);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct table);
} tables SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 3);
	__type(value, __u32);
} waiting SEC(".maps");

static __noinline void count(__u32 index, __u64 by)
{
	__u64 *value = bpf_map_lookup_elem(&stats, &index);

	if (value)
		*value += by;
}

/* Counts, writes the sum of service 7, slot 3 to `seen`, and returns what user space asks for. */
SEC("xdp")
int count_packets(struct xdp_md *context)
{
	__u32 service = 7, index = 3;
	void *inner;

	count(0, 1);
	count(1, context->data_end - context->data);
	inner = bpf_map_lookup_elem(&services, &service);
	if (inner) {
		__u64 *value = bpf_map_lookup_elem(inner, &index);

		if (value)
			__sync_fetch_and_add(&seen, *value);
	}
	return verdict;
}

/* Compares slots of table 1 with each other: a table that is half written is counted in `torn`. */
SEC("xdp")
int check_table(struct xdp_md *context)
{
	__u32 key = 1;
	struct table *table = bpf_map_lookup_elem(&tables, &key);

	if (!table)
		return XDP_ABORTED;
	__sync_fetch_and_add(&compared, 1);
	if (table->slots[0] == table->slots[65536] && table->slots[0] == table->slots[30000])
		return XDP_PASS;
	__sync_fetch_and_add(&torn, 1);
	return XDP_DROP;
}

SEC("xdp")
int drop_all(struct xdp_md *context)
{
	return XDP_DROP;
}

/* Puts an event into the ring for each packet; counts those that found no room in `seen`. */
SEC("xdp")
int emit_event(struct xdp_md *context)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&seen, 1);
		return XDP_DROP;
	}
	event->at_ns = bpf_ktime_get_ns();
	event->ip4 = bpf_htonl(0x0a000001);
	event->port = bpf_htons(8080);
	event->family = 2;
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

/* Puts 8 bytes in front of the packet and sends it back. */
SEC("xdp")
int grow(struct xdp_md *context)
{
	char *data, *end;

	if (bpf_xdp_adjust_head(context, -8))
		return XDP_ABORTED;
	data = (char *)(long)context->data;
	end = (char *)(long)context->data_end;
	if (data + 8 > end)
		return XDP_ABORTED;
	for (int i = 0; i < 8; i++)
		data[i] = signature[i];
	return XDP_TX;
}

SEC("tc")
int count_frames(struct __sk_buff *context)
{
	count(2, 1);
	return -1; /* TCX_NEXT: the next program decides. */
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *context)
{
	struct event *event;

	__sync_fetch_and_add(&seen_by_connect, 1);
	if (!emit_events)
		return 1;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 1;
	event->at_ns = bpf_ktime_get_ns();
	event->ip4 = context->user_ip4;
	event->port = context->user_port;
	event->family = context->user_family;
	bpf_ringbuf_submit(event, 0);
	return 1;
}

SEC("cgroup/connect4")
int refuse_connect4(struct bpf_sock_addr *context)
{
	return 0;
}

/* Refuses everything: a listener is there, and nobody reaches it. */
SEC("sk_lookup")
int refuse_lookup(struct bpf_sk_lookup *context)
{
	count(3, 1);
	return SK_DROP;
}

EVENKEEL_LICENSE;
