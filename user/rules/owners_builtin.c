// SPDX-License-Identifier: GPL-2.0-only
/* The built-in table of owners: the file owners.conf as it is, so that users can read what they add to. */
#include "rules/owners_table.h"

__asm__(".pushsection .rodata\n"
	".global owners_builtin\n"
	".global owners_builtin_end\n"
	"owners_builtin:\n"
	".incbin \"user/rules/owners.conf\"\n"
	"owners_builtin_end:\n"
	".byte 0\n"
	".popsection\n");
