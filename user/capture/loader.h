/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading one tier's BPF object, and saying in words why the kernel refuses it. */
#ifndef FIBTRACE_CAPTURE_LOADER_H
#define FIBTRACE_CAPTURE_LOADER_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/hooks.h"
#include "capture/tier.h"

/* One line for people; "" when nothing failed. */
struct loader_reason {
	char text[512];
};

bool loader_kernel_has_btf(void);
/* Whether this process has CAP_SYS_ADMIN. */
bool loader_is_admin(void);

/* A tier's programs and their places. */
struct loaded_tier {
	struct bpf_object *object;
	struct hooks *hooks;
};

/* Opens, configures and loads the object of a tier, without the hooks that this
 * kernel refuses. The caller unloads it, also after a failure. 0 or -errno with the reason. */
int loader_load(const struct tier *tier, const struct capture_settings *settings,
		struct loaded_tier *loaded, struct loader_reason *reason);
void loader_unload(struct loaded_tier *loaded);

/* Words for err at what was tried: capabilities, lockdown, memory limit. */
void loader_explain(struct loader_reason *reason, int err, const char *what);

/* The object's data section, NULL when it has none of that name. */
struct bpf_map *loader_find_data(const struct bpf_object *object, const char *section);
/* The section's initial contents, to be changed before loading; NULL with errno. */
void *loader_initial_data(struct bpf_map *map, size_t *size);
/* After loading: maps size bytes of the section as the programs see it. NULL
 * with errno; the caller unmaps. */
void *loader_map_data(struct bpf_map *map, size_t size);

#endif
