// SPDX-License-Identifier: GPL-2.0-only
/* `fibtrace features`: what this kernel allows, tier by tier. */
#include "features_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "capture/capture.h"
#include "render/output.h"
#include "util/text.h"

#define TIERS_MAX 8

static void tier_describe(struct text *out, const struct tier_state *tier)
{
	text_printf(out, "%s: %s\n", tier->name, tier->loads ? "loads" : "refused");
	if (!tier->loads)
		text_printf(out, "  reason: %s\n", tier->reason);
	text_printf(out, "  needs: %s\n", tier->needs);
	text_printf(out, "  cannot see: %s\n", tier->cannot_see);
}

int features_print(const struct options *options)
{
	struct tier_state tiers[TIERS_MAX];
	size_t count = capture_probe_tiers(tiers, TIERS_MAX);
	struct output output;
	struct utsname kernel;
	bool some = false;
	int err;

	(void)options;
	output_init(&output);
	if (!uname(&kernel))
		text_printf(&output.text, "kernel: %s\n", kernel.release);
	for (size_t i = 0; i < count; i++) {
		tier_describe(&output.text, &tiers[i]);
		some |= tiers[i].loads;
	}
	err = output_flush(&output);
	output_free(&output);
	return some && !err ? EXIT_SUCCESS : EXIT_FAILURE;
}
