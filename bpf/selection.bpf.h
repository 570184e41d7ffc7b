/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a lookup is wanted: its namespace and the filter on its flow key. */
#ifndef FIBTRACE_BPF_SELECTION_BPF_H
#define FIBTRACE_BPF_SELECTION_BPF_H

#include "bpf/context.bpf.h"
#include "bpf/filter.bpf.h"

static __always_inline bool netns_traced(__u32 inode)
{
	if (config.netns_all)
		return true;
	for (__u32 i = 0; i < FILTER_MAX && i < config.netns_count; i++) {
		if (config.netns[i] == inode)
			return true;
	}
	return false;
}

static __always_inline enum filter_kind key_rejected(const struct flow_key *key,
						     const struct lookup_origin *origin)
{
	enum filter_kind kind;
	__u32 pid = 0;

	if (config.filter.pid_count && origin->level == LEVEL_TASK)
		pid = bpf_get_current_pid_tgid() >> 32;
	kind = flow_filter_kernel_rejects(&config.filter, key, pid);
	if (!kind && device_filter_rejects(&control.devices, key->iif))
		kind = FILTER_IIF;
	return kind;
}

#endif
