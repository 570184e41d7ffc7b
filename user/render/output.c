// SPDX-License-Identifier: GPL-2.0-only
/* Standard output: what the formats wrote, flushed when it should be seen. */
#include "render/output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/report.h"

#define OUTPUT_FLUSH_AT (64 * 1024)

void output_init(struct output *output)
{
	*output = (struct output){ .terminal = isatty(STDOUT_FILENO) };
}

void output_free(struct output *output)
{
	text_free(&output->text);
}

static int output_write(struct output *output)
{
	const char *bytes = text_string(&output->text);
	size_t left = output->text.length;

	while (left) {
		ssize_t written = write(STDOUT_FILENO, bytes, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		left -= written;
	}
	return 0;
}

int output_flush(struct output *output)
{
	int err = 0;

	if (output->text.failed) {
		report_error("out of memory");
		return -ENOMEM;
	}
	if (!output->closed)
		err = output_write(output);
	text_clear(&output->text);
	if (err == -EPIPE) {
		output->closed = true;
		return 0;
	}
	if (err)
		report_error("cannot write to standard output: %s", strerror(-err));
	return err;
}

int output_line_done(struct output *output)
{
	if (output->terminal || output->text.failed || output->text.length >= OUTPUT_FLUSH_AT)
		return output_flush(output);
	return 0;
}
