// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * queues: how many tasks are queued where. The dispatch queues (DSQs) of sched_ext: the local one of each
 * CPU, the global ones of the nodes, and those that the scheduler has made, whatever scheduler that is,
 * since they are all in the hash of the kernel by which their ids are looked up.
 *
 * Nothing is locked: a figure is that of its own moment, and a queue that comes or goes during the walk,
 * or while the kernel resizes the hash, may be left out once.
 */
#include "types.h"

char _license[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rhash_head {
	struct rhash_head *next;
};

struct bucket_table {
	unsigned int size;
	unsigned int nest; /* not 0: the buckets are not in one piece */
	struct rhash_head *buckets[0];
};

struct rhashtable {
	struct bucket_table *tbl;
};

struct scx_dispatch_q {
	u32 nr;
	u64 id;
	struct rhash_head hash_node;
};

struct scx_sched_pnode {
	struct scx_dispatch_q global_dsq;
};

struct scx_sched {
	struct rhashtable dsq_hash;
	struct scx_sched_pnode **pnode;
};

struct scx_sched___old {
	struct scx_dispatch_q **global_dsqs;
};

struct scx_rq {
	struct scx_dispatch_q local_dsq;
};

struct rq {
	unsigned int nr_running;
	int online;
	struct scx_rq scx;
};

#pragma clang attribute pop

extern struct rq runqueues __ksym __weak; /* one a CPU */

void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

#define MOST_CPUS   8192
#define MOST_NODES  1024
#define MOST_CHAIN  64 /* in a bucket; the kernel rehashes long before */
#define MOST_SLOTS  (1 << 16)
#define MOST_QUEUES 2048

/*
 * Where the kernel keeps the pointer to the scheduler that is attached; 0: not known. Not an extern: its
 * type is not in the kernel's BTF, and libbpf takes three times as long to find such a symbol.
 */
const volatile u64 scx_root = 0;

/* How many memory nodes there are. */
const volatile u32 nr_nodes = 1;

struct local {
	u32 queued;   /* in the CPU's local queue; the one that runs is not */
	u32 runnable; /* on the CPU, of all classes, with the one that runs */
	u32 online;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct local);
} locals SEC(".maps");

struct queue {
	u64 id;
	u32 queued;
	s32 node; /* of a global one, else -1 */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_QUEUES);
	__type(key, u32);
	__type(value, struct queue);
} queues SEC(".maps");

/* Of the last look; there may be more than there is room for. */
volatile u32 nr_queues = 0;

static __always_inline void look_at_cpus(void)
{
	struct local *local;
	struct rq *rq;
	u32 key = 0, n;

	bpf_for(n, 0, MOST_CPUS) {
		local = bpf_map_lookup_percpu_elem(&locals, &key, n);
		rq = bpf_per_cpu_ptr(&runqueues, n);
		if (!local || !rq)
			break;
		local->queued = rq->scx.local_dsq.nr;
		local->runnable = rq->nr_running;
		local->online = rq->online;
	}
}

static __noinline int look_at(struct scx_dispatch_q *dsq, s32 node)
{
	u32 key = nr_queues;
	struct queue *queue = bpf_map_lookup_elem(&queues, &key);

	nr_queues++;
	if (!queue)
		return 0;
	queue->id = BPF_CORE_READ(dsq, id);
	queue->queued = BPF_CORE_READ(dsq, nr);
	queue->node = node;
	return 0;
}

/* The n-th of an array of pointers. */
static __always_inline void *pointer(const void *array, u32 n)
{
	void *found = NULL;

	bpf_probe_read_kernel(&found, sizeof(found), array + n * sizeof(found));
	return found;
}

static __always_inline void look_at_global(struct scx_sched *root)
{
	const u32 count = nr_nodes < MOST_NODES ? nr_nodes : MOST_NODES;
	struct scx_sched___old *old = (void *)root;
	void *array, *found;
	u32 n;

	if (bpf_core_field_exists(root->pnode)) {
		array = BPF_CORE_READ(root, pnode);
		bpf_for(n, 0, count) {
			found = pointer(array, n);
			if (found)
				look_at(found + bpf_core_field_offset(struct scx_sched_pnode,
								      global_dsq),
					n);
		}
	} else { /* goes with 6.18 */
		array = BPF_CORE_READ(old, global_dsqs);
		bpf_for(n, 0, count) {
			found = pointer(array, n);
			if (found)
				look_at(found, n);
		}
	}
}

static __noinline int look_at_chain(struct rhash_head *head)
{
	u32 n;

	bpf_for(n, 0, MOST_CHAIN) {
		if (!head || (u64)head & 1) /* the end is an odd number */
			break;
		look_at((void *)head - bpf_core_field_offset(struct scx_dispatch_q, hash_node), -1);
		head = BPF_CORE_READ(head, next);
	}
	return 0;
}

static __always_inline void look_at_hash(struct bucket_table *table)
{
	u32 size = BPF_CORE_READ(table, size), n;
	const void *buckets = (void *)table + bpf_core_field_offset(struct bucket_table, buckets);

	if (BPF_CORE_READ(table, nest))
		return;
	bpf_for(n, 0, size < MOST_SLOTS ? size : MOST_SLOTS)
		/* The lowest bit is a lock. */
		look_at_chain((void *)((u64)pointer(buckets, n) & ~1ULL));
}

SEC("syscall")
int look(void *ctx)
{
	struct scx_sched *root = NULL;
	struct bucket_table *table;

	if (bpf_ksym_exists(&runqueues))
		look_at_cpus();
	nr_queues = 0;
	if (!scx_root)
		return 0;
	bpf_rcu_read_lock();
	bpf_probe_read_kernel(&root, sizeof(root), (const void *)scx_root);
	if (root) {
		look_at_global(root);
		table = BPF_CORE_READ(root, dsq_hash.tbl);
		if (table)
			look_at_hash(table);
	}
	bpf_rcu_read_unlock();
	return 0;
}
