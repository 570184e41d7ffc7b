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

#include "util/array.h"
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

#define ERROR_NOT_SUPPORTED 524 /* the kernel's ENOTSUPP, which has no name outside */

static const char *error_text(int err)
{
	return err == -ERROR_NOT_SUPPORTED ? "not supported" : strerror(-err);
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
			 what, error_text(err));
	else if (denied)
		snprintf(
			reason->text, sizeof(reason->text),
			"the kernel refused %s (%s): a security policy or lockdown=confidentiality "
			"forbids it",
			what, error_text(err));
	else
		snprintf(reason->text, sizeof(reason->text), "the kernel refused %s: %s", what,
			 error_text(err));
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

/* Room for the lookups and threads that can be in progress at once: few on each CPU. */
static const struct {
	const char *map;
	unsigned int entries;
	unsigned int entries_per_cpu;
} sizes[] = {
	{ "cpus", 0, 1 },
	{ "lookups", 128, 8 },
	{ "threads", 1024, 128 },
};

static int loader_size_maps(struct bpf_object *object, uint64_t buffer_size)
{
	struct bpf_map *events = bpf_object__find_map_by_name(object, "events");
	int cpus = libbpf_num_possible_cpus();
	int err = events ? bpf_map__set_max_entries(events, buffer_size) : -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(sizes) && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, sizes[i].map);

		if (map)
			err = bpf_map__set_max_entries(
				map, sizes[i].entries + sizes[i].entries_per_cpu * cpus);
	}
	return err;
}

static int loader_configure(struct bpf_object *object, const struct capture_settings *settings)
{
	struct bpf_map *rodata = loader_find_data(object, ".rodata.config");
	struct trace_config *config;
	size_t size;

	if (!rodata)
		return -ENOENT;
	config = loader_initial_data(rodata, &size);
	if (!config || size < sizeof(*config))
		return -EINVAL;
	*config = settings->config;
	config->wakeup_bytes = settings->buffer_size / 2;
	return loader_size_maps(object, settings->buffer_size);
}

void loader_unload(struct loaded_tier *loaded)
{
	hooks_free(loaded->hooks);
	bpf_object__close(loaded->object);
	*loaded = (struct loaded_tier){ 0 };
}

static int loader_open(const struct tier *tier, const struct capture_settings *settings,
		       struct loaded_tier *loaded, struct loader_reason *reason)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "fibtrace");
	size_t size;
	const void *elf = tier->elf(&size);
	int err = 0;

	loaded->object = bpf_object__open_mem(elf, size, &options);
	if (loaded->object)
		err = loader_configure(loaded->object, settings);
	if (loaded->object && !err)
		loaded->hooks = hooks_new(loaded->object);
	if (!loaded->hooks && !err)
		err = -errno;
	if (err)
		loader_explain(reason, err, "the program file");
	return err;
}

static int loader_try(struct bpf_object *object, struct loader_reason *reason)
{
	int err = bpf_object__load(object);

	if (err)
		loader_explain(reason, err, "the programs");
	return err;
}

/* Loads the programs of one hook alone, and forgets them: why that fails, "" when it does not. */
static int loader_test_hook(const struct tier *tier, const struct capture_settings *settings,
			    size_t index, struct loader_reason *reason)
{
	struct loaded_tier loaded = { 0 };
	int err = loader_open(tier, settings, &loaded, reason);

	if (!err) {
		hooks_keep_only(loaded.hooks, index);
		err = loader_try(loaded.object, reason);
	}
	loader_unload(&loaded);
	return err;
}

/* After the whole was refused: what of it is. Needed where BTF names a function that has none. */
static int loader_load_parts(const struct tier *tier, const struct capture_settings *settings,
			     struct loaded_tier *loaded, struct loader_reason *reason)
{
	int err = loader_open(tier, settings, loaded, reason);

	for (size_t i = 0; !err && i < hooks_count(loaded->hooks); i++) {
		struct loader_reason refusal = { 0 };
		int refused = loader_test_hook(tier, settings, i, &refusal);

		if (refused && hooks_state(loaded->hooks, i).required) {
			*reason = refusal;
			return refused;
		}
		if (refused)
			hooks_leave_out(loaded->hooks, i, refusal.text);
	}
	return err ? err : loader_try(loaded->object, reason);
}

int loader_load(const struct tier *tier, const struct capture_settings *settings,
		struct loaded_tier *loaded, struct loader_reason *reason)
{
	int err;

	libbpf_set_print(loader_print);
	err = loader_open(tier, settings, loaded, reason);
	if (err)
		return err;
	err = loader_try(loaded->object, reason);
	/* A policy that forbids loading forbids each part. */
	if (!err || err == -EPERM)
		return err;
	loader_unload(loaded);
	return loader_load_parts(tier, settings, loaded, reason);
}
