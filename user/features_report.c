// SPDX-License-Identifier: GPL-2.0-only
/* What the hooks of a tier come to: which of its functions the kernel lets us look into. */
#include "features_report.h"

#include <string.h>

const struct tier_state *features_best(const struct features *features)
{
	for (size_t i = 0; i < features->tier_count; i++) {
		if (features->tiers[i].loads)
			return &features->tiers[i];
	}
	return NULL;
}

bool function_is_first(const struct tier_state *tier, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(tier->hooks[i].function, tier->hooks[index].function))
			return false;
	}
	return true;
}

bool function_is_attached(const struct tier_state *tier, const char *function)
{
	for (size_t i = 0; i < tier->hook_count; i++) {
		if (tier->hooks[i].attached && !strcmp(tier->hooks[i].function, function))
			return true;
	}
	return false;
}

bool function_is_refused(const struct tier_state *tier, const char *function)
{
	for (size_t i = 0; i < tier->hook_count; i++) {
		if (tier->hooks[i].reason[0] && !strcmp(tier->hooks[i].function, function))
			return true;
	}
	return false;
}

const char *function_stand_in(const struct tier_state *tier, const char *function, size_t index)
{
	for (size_t i = 0; i < tier->hook_count; i++) {
		const struct hook_state *hook = &tier->hooks[i];

		if (hook->instead_of && !strcmp(hook->instead_of, function) && !index--)
			return hook->function;
	}
	return NULL;
}

bool function_is_stand_in(const struct tier_state *tier, const char *function)
{
	for (size_t i = 0; i < tier->hook_count; i++) {
		if (tier->hooks[i].instead_of && !strcmp(tier->hooks[i].function, function))
			return true;
	}
	return false;
}

bool function_is_replaced(const struct tier_state *tier, const char *function)
{
	size_t count = 0;

	for (; function_stand_in(tier, function, count); count++) {
		if (!function_is_attached(tier, function_stand_in(tier, function, count)))
			return false;
	}
	return count > 0;
}

bool function_is_missed(const struct tier_state *tier, const char *function)
{
	return function_is_refused(tier, function) && !function_is_attached(tier, function) &&
	       !function_is_replaced(tier, function);
}
