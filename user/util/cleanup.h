/* SPDX-License-Identifier: GPL-2.0-only */
/* Local resources that free themselves, so that early returns stay safe. */
#ifndef FIBTRACE_UTIL_CLEANUP_H
#define FIBTRACE_UTIL_CLEANUP_H

#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_close_ __attribute__((cleanup(cleanup_close)))
#define _cleanup_fclose_ __attribute__((cleanup(cleanup_fclose)))

void cleanup_free(void *pointer); /* a pointer to the pointer */
void cleanup_close(int *fd); /* ignores -1 */
void cleanup_fclose(void *file); /* a pointer to the FILE pointer, NULL ignored */

#endif
