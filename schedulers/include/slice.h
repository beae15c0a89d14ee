/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a task is given that runs on because nobody waits.
 */
#ifndef SCXHID_SLICE_H
#define SCXHID_SLICE_H

/*
 * prev, if it is runnable, goes on for another slice. The kernel by itself would give it 20 ms
 * (SCX_SLICE_DFL) whatever a knob says, and who wakes up meanwhile would wait for all of them.
 */
static __always_inline void renew_slice(struct task_struct *prev, u64 slice)
{
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED))
		scx_bpf_task_set_slice(prev, slice);
}

#endif /* SCXHID_SLICE_H */
