/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every BPF program here begins with: the kernel's names of integers, and libbpf's headers.
 */
#ifndef SCXHID_TYPES_H
#define SCXHID_TYPES_H

#include <linux/bpf.h>
#include <linux/version.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

/* What newer headers of the kernel have. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define BPF_MAP_TYPE_CGRP_STORAGE 32
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
struct bpf_iter_num { /* of bpf_for() */
	__u64 opaque[1];
};
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));
#endif

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#ifndef NULL
#define NULL ((void *)0)
#endif

#endif /* SCXHID_TYPES_H */
