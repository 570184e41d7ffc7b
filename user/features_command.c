// SPDX-License-Identifier: GPL-2.0-only
/* `fibtrace features`: what this kernel allows, tier by tier. */
#include "features_command.h"

#include <stdlib.h>
#include <sys/utsname.h>

#include "capture/capture.h"
#include "features_report.h"
#include "render/output.h"
#include "util/cleanup.h"
#include "util/report.h"

#define TIERS_MAX 8

static int features_write(const struct features *features, const struct options *options)
{
	struct output output;
	int err;

	output_init(&output);
	/* json is the only format that the command line lets pass. */
	if (options->format)
		features_write_json(&output.text, features);
	else
		features_write_text(&output.text, features, options->verbose);
	err = output_flush(&output);
	output_free(&output);
	return err;
}

int features_print(const struct options *options)
{
	_cleanup_free_ struct tier_state *tiers = calloc(TIERS_MAX, sizeof(*tiers));
	struct utsname kernel = { .release = "" };
	struct features features = { .kernel = kernel.release, .tiers = tiers };

	if (!tiers) {
		report_error("out of memory");
		return EXIT_FAILURE;
	}
	uname(&kernel);
	features.tier_count = capture_probe_tiers(tiers, TIERS_MAX);
	if (features_write(&features, options) || !features_best(&features))
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
