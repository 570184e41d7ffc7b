// SPDX-License-Identifier: GPL-2.0-only
/* Local resources that free themselves, so that early returns stay safe. */
#include "util/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void cleanup_fclose(void *file)
{
	if (*(FILE **)file)
		fclose(*(FILE **)file);
}
