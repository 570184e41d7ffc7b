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
#include <sys/stat.h>
#include <sys/utsname.h>
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

bool loader_is_admin(void)
{
	return capable(CAPABILITY_SYS_ADMIN);
}

/* What a file of the kernel's says on its first line, "" when it cannot be read. */
static void file_line(const char *path, char line[static 128])
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, 128, file))
		line[0] = '\0';
	if (file)
		fclose(file);
}

/* What was tried and how it failed, for the rows below to recognize. */
struct refusal {
	int err;
	const char *what;
};

static bool is_denied(const struct refusal *refusal)
{
	return refusal->err == -EPERM || refusal->err == -EACCES;
}

static bool lacks_bpf(const struct refusal *refusal)
{
	return is_denied(refusal) && !capable(CAPABILITY_BPF);
}

static bool lacks_perfmon(const struct refusal *refusal)
{
	return is_denied(refusal) && !capable(CAPABILITY_PERFMON);
}

#define INITIAL_USER_NAMESPACE 0xeffffffdu /* PROC_USER_INIT_INO */

/* There the capabilities that we seem to have are of no use. */
static bool in_user_namespace(const struct refusal *refusal)
{
	struct stat namespace;

	return is_denied(refusal) && !stat("/proc/self/ns/user", &namespace) &&
	       namespace.st_ino != INITIAL_USER_NAMESPACE;
}

/* Debian's kernels have this setting; others let CAP_PERFMON open probes. */
static bool lacks_probes(const struct refusal *refusal)
{
	char line[128];

	if (refusal->err != -EACCES || !strstr(refusal->what, "probe/") ||
	    capable(CAPABILITY_SYS_ADMIN))
		return false;
	file_line("/proc/sys/kernel/perf_event_paranoid", line);
	return atoi(line) > 2;
}

/* Maps count against the limit of locked memory up to Linux 5.10, which refuses them so. */
static bool lacks_locked_memory(const struct refusal *refusal)
{
	unsigned int major, minor;
	struct utsname kernel;

	if (refusal->err != -EPERM || capabilities_effective() & 1ull << CAPABILITY_SYS_RESOURCE)
		return false;
	if (uname(&kernel) || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major < 5 || (major == 5 && minor < 11);
}

/* Then programs may not read kernel memory: the helpers for it are unknown to them (EINVAL). */
static bool is_locked_down(const struct refusal *refusal)
{
	char line[128];

	if (!is_denied(refusal) && refusal->err != -EINVAL)
		return false;
	file_line("/sys/kernel/security/lockdown", line);
	return strstr(line, "[confidentiality]");
}

/* The first that holds is the reason. */
static const struct {
	bool (*holds)(const struct refusal *refusal);
	const char *reason;
} explanations[] = {
	{ lacks_bpf, "needs CAP_BPF; run as root" },
	{ lacks_perfmon, "needs CAP_PERFMON; run as root" },
	{ in_user_namespace, "needs the capabilities of root outside of this user namespace" },
	{ lacks_probes, "needs CAP_SYS_ADMIN for kprobes while "
			"kernel.perf_event_paranoid is above 2; run as root" },
	{ lacks_locked_memory, "needs CAP_SYS_RESOURCE before Linux 5.11, to raise "
			       "RLIMIT_MEMLOCK; run as root" },
	{ is_locked_down, "the kernel is locked down: lockdown=confidentiality forbids it" },
};

#define ERROR_NOT_SUPPORTED 524 /* the kernel's ENOTSUPP, which has no name outside */

static const char *error_text(int err)
{
	return err == -ERROR_NOT_SUPPORTED ? "not supported" : strerror(-err);
}

/* What to do where nothing is known to be missing. */
static const char *advice(int err)
{
	if (err != -EPERM)
		return "";
	if (!capable(CAPABILITY_SYS_ADMIN))
		return "; with CAP_SYS_ADMIN it may be allowed, run as root";
	return "; a security policy forbids it, --attach auto takes what it allows";
}

void loader_explain(struct loader_reason *reason, int err, const char *what)
{
	struct refusal refusal = { .err = err, .what = what };

	for (size_t i = 0; i < ARRAY_SIZE(explanations); i++) {
		if (!explanations[i].holds(&refusal))
			continue;
		snprintf(reason->text, sizeof(reason->text), "%s", explanations[i].reason);
		return;
	}
	snprintf(reason->text, sizeof(reason->text), "the kernel refused %s: %s%s", what,
		 error_text(err), advice(err));
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
		loaded->hooks = hooks_new(loaded->object, settings->config.filter.families);
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
		int refused;

		if (!hooks_wants(loaded->hooks, i))
			continue;
		refused = loader_test_hook(tier, settings, i, &refusal);
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
