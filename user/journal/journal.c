// SPDX-License-Identifier: GPL-2.0-only
/* The systemd journal, by libsystemd's sd_journal_sendv(3). */
#include "journal/journal.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "util/report.h"

#define LIBRARY "libsystemd.so.0"
#define FUNCTION "sd_journal_sendv"
/* Where journald listens, and sd_journal_sendv() sends to. */
#define SOCKET "/run/systemd/journal/socket"

struct journal {
	void *library;
	int (*sendv)(const struct iovec *fields, int count);
};

/* sd_journal_sendv() takes the lack of a socket for a success. */
static int find_socket(void)
{
	struct stat status;

	if (stat(SOCKET, &status))
		return -errno;
	return S_ISSOCK(status.st_mode) ? 0 : -ENOTSOCK;
}

static int load(struct journal *journal)
{
	journal->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (journal->library)
		*(void **)&journal->sendv = dlsym(journal->library, FUNCTION);
	if (journal->sendv)
		return 0;
	report_error("--journal: %s; install libsystemd", dlerror());
	return -ENOENT;
}

struct journal *journal_open(void)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int err = journal ? load(journal) : -ENOMEM;

	if (err == -ENOMEM)
		report_error("out of memory");
	if (!err) {
		err = find_socket();
		if (err)
			report_error("--journal: no journald listens on %s: %s", SOCKET,
				     strerror(-err));
	}
	if (!err)
		return journal;
	journal_close(journal);
	errno = -err;
	return NULL;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->library)
		dlclose(journal->library);
	free(journal);
}

int journal_send(struct journal *journal, const struct entry *entry)
{
	struct iovec fields[ENTRY_FIELDS_MAX];
	int err = find_socket();

	if (entry->text.failed)
		return -ENOMEM;
	if (err)
		return err;
	for (size_t i = 0; i < entry->count; i++) {
		size_t end = i + 1 < entry->count ? entry->starts[i + 1] : entry->text.length;

		fields[i] = (struct iovec){
			.iov_base = entry->text.string + entry->starts[i],
			.iov_len = end - entry->starts[i],
		};
	}
	return journal->sendv(fields, (int)entry->count);
}
