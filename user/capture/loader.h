/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading one tier's BPF object, and saying in words why the kernel refuses it. */
#ifndef FIBTRACE_CAPTURE_LOADER_H
#define FIBTRACE_CAPTURE_LOADER_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/tier.h"

/* One line for people; "" when nothing failed. */
struct loader_reason {
	char text[512];
};

bool loader_kernel_has_btf(void);

/* Opens, configures and loads the object of a tier; the caller closes it, also
 * after a failure (NULL then at worst). 0 or -errno with the reason. */
int loader_load(const struct tier *tier, const struct capture_settings *settings,
		struct bpf_object **object, struct loader_reason *reason);

/* Words for err at what was tried: capabilities, lockdown, memory limit. */
void loader_explain(struct loader_reason *reason, int err, const char *what);

/* The object's data section, NULL when it has none of that name. */
struct bpf_map *loader_find_data(const struct bpf_object *object, const char *section);
/* The section's initial contents, to be changed before loading; NULL with errno. */
void *loader_initial_data(struct bpf_map *map, size_t *size);
/* After loading: maps size bytes of the section as the programs see it. NULL
 * with errno; the caller unmaps. */
void *loader_map_data(struct bpf_map *map, size_t size);

/* Adds up the program runs that the kernel skipped (bpf_prog_info.recursion_misses);
 * false when this kernel does not count them. */
bool loader_read_missed(const struct bpf_object *object, uint64_t *missed);

#endif
