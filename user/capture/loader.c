// SPDX-License-Identifier: GPL-2.0-only
/* Loading one tier's BPF object, and saying in words why the kernel refuses it. */
#include "capture/loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/report.h"

#define CAPABILITY_SYS_ADMIN 21
#define CAPABILITY_SYS_RESOURCE 24
#define CAPABILITY_PERFMON 38
#define CAPABILITY_BPF 39

bool loader_kernel_has_btf(void)
{
	return access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

/* libbpf speaks when asked only: its debug level would bury the reason. */
static int loader_print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char line[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), format, arguments);
	line[strcspn(line, "\n")] = '\0';
	report_note("%s", line);
	return 0;
}

/* The effective capabilities of this process, from /proc/self/status. */
static uint64_t capabilities_effective(void)
{
	unsigned long long value = 0;
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");

	if (!status)
		return 0;
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "CapEff: %llx", &value) == 1)
			break;
	}
	fclose(status);
	return value;
}

static bool capable(int capability)
{
	uint64_t effective = capabilities_effective();

	return effective & (1ull << capability | 1ull << CAPABILITY_SYS_ADMIN);
}

void loader_explain(struct loader_reason *reason, int err, const char *what)
{
	bool denied = err == -EPERM || err == -EACCES;

	if (denied && !capable(CAPABILITY_BPF))
		snprintf(reason->text, sizeof(reason->text), "needs CAP_BPF; run as root");
	else if (denied && !capable(CAPABILITY_PERFMON))
		snprintf(reason->text, sizeof(reason->text), "needs CAP_PERFMON; run as root");
	else if (denied && !(capabilities_effective() & 1ull << CAPABILITY_SYS_RESOURCE))
		snprintf(reason->text, sizeof(reason->text),
			 "the kernel refused %s (%s); before Linux 5.11 it needs CAP_SYS_RESOURCE "
			 "to raise RLIMIT_MEMLOCK",
			 what, strerror(-err));
	else if (denied)
		snprintf(
			reason->text, sizeof(reason->text),
			"the kernel refused %s (%s): a security policy or lockdown=confidentiality "
			"forbids it",
			what, strerror(-err));
	else
		snprintf(reason->text, sizeof(reason->text), "the kernel refused %s: %s", what,
			 strerror(-err));
}

struct bpf_map *loader_find_data(const struct bpf_object *object, const char *section)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, object) {
		const char *name = bpf_map__name(map);
		size_t length = strlen(name);
		size_t wanted = strlen(section);

		if (length >= wanted && !strcmp(name + length - wanted, section))
			return map;
	}
	return NULL;
}

void *loader_initial_data(struct bpf_map *map, size_t *size)
{
	return (void *)bpf_map__initial_value(map, size);
}

void *loader_map_data(struct bpf_map *map, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return data == MAP_FAILED ? NULL : data;
}

static int loader_configure(struct bpf_object *object, const struct capture_settings *settings)
{
	struct bpf_map *rodata = loader_find_data(object, ".rodata.config");
	struct bpf_map *events = bpf_object__find_map_by_name(object, "events");
	struct bpf_map *cpus = bpf_object__find_map_by_name(object, "cpus");
	struct trace_config *config;
	size_t size;
	int err;

	if (!rodata || !events || !cpus)
		return -ENOENT;
	config = loader_initial_data(rodata, &size);
	if (!config || size < sizeof(*config))
		return -EINVAL;
	*config = settings->config;
	config->wakeup_bytes = settings->buffer_size / 2;
	err = bpf_map__set_max_entries(events, settings->buffer_size);
	if (!err)
		err = bpf_map__set_max_entries(cpus, libbpf_num_possible_cpus());
	return err;
}

int loader_load(const struct tier *tier, const struct capture_settings *settings,
		struct bpf_object **object, struct loader_reason *reason)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "fibtrace");
	size_t size;
	const void *elf = tier->elf(&size);
	int err;

	libbpf_set_print(loader_print);
	*object = bpf_object__open_mem(elf, size, &options);
	if (!*object) {
		err = -errno;
		loader_explain(reason, err, "the program file");
		return err;
	}
	err = loader_configure(*object, settings);
	if (!err)
		err = bpf_object__load(*object);
	if (err)
		loader_explain(reason, err, "the programs");
	return err;
}

bool loader_read_missed(const struct bpf_object *object, uint64_t *missed)
{
	struct bpf_program *program;
	bool known = false;

	*missed = 0;
	bpf_object__for_each_program (program, object) {
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			return false;
		known = size >= offsetof(struct bpf_prog_info, recursion_misses) +
					sizeof(info.recursion_misses);
		*missed += info.recursion_misses;
	}
	return known;
}
