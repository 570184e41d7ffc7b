// SPDX-License-Identifier: GPL-2.0-only
/* Arrays that grow. */
#include "rules/grow.h"

#include <stdlib.h>

void *array_reserve(void *array, size_t size, size_t count, size_t *capacity)
{
	size_t wanted = *capacity ? *capacity * 2 : 8;
	void *grown;

	if (count < *capacity)
		return array;
	grown = reallocarray(array, wanted, size);
	if (grown)
		*capacity = wanted;
	return grown;
}
