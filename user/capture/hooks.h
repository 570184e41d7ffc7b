/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks of one tier: which of its programs this kernel has a place for, attached one by one. */
#ifndef FIBTRACE_CAPTURE_HOOKS_H
#define FIBTRACE_CAPTURE_HOOKS_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"

struct hooks;
struct loader_reason;

/* Before loading: programs for functions that this kernel does not have, or that look up routes of
 * none of the families (FILTER_FAMILY_…; 0: all), are not loaded. Borrows the object. NULL with
 * errno. */
struct hooks *hooks_new(struct bpf_object *object, uint32_t families);
/* Detaches what is attached; takes NULL. To be called before the object is closed. */
void hooks_free(struct hooks *hooks);

/* Before loading: has one hook left out, and why; or all but that one. The same
 * tier has its hooks in the same order whenever it is opened. */
void hooks_leave_out(struct hooks *hooks, size_t index, const char *reason);
void hooks_keep_only(struct hooks *hooks, size_t index);
/* Whether it is to be loaded. */
bool hooks_wants(const struct hooks *hooks, size_t index);

/* After loading. A hook that is refused is recorded; one that the tier cannot do without is an
 * error, told in reason. 0 or -errno. */
int hooks_attach(struct hooks *hooks, struct loader_reason *reason);
void hooks_detach(struct hooks *hooks);
/*
 * The same, without the wait: for each function the kernel takes a tenth of a
 * second to make sure that nobody runs through the hook any more. A child
 * process, which holds nothing else of ours, stays for that long.
 */
void hooks_detach_in_background(struct hooks *hooks);

/* The families, FILTER_FAMILY_…, of which every function that tells a lookup's purpose is hooked. */
uint32_t hooks_tell_purpose(const struct hooks *hooks);

/* True when lookups of a family that is of interest are not seen at all; reason says why. */
bool hooks_are_blind(const struct hooks *hooks, struct loader_reason *reason);

/* What became of each; strings stay valid as long as hooks. Returns how many there are. */
size_t hooks_count(const struct hooks *hooks);
struct hook_state hooks_state(const struct hooks *hooks, size_t index);

/* Adds up the program runs that the kernel skipped; false when it does not count them all. */
bool hooks_missed(const struct hooks *hooks, uint64_t *missed);

#endif
