// SPDX-License-Identifier: GPL-2.0-only
/* The filters in BPF and in C decide the same: random filters, random lookups, both asked. */
#include "tests/live/filter_same.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bpf/purpose.h"
#include "filter/filter.h"
#include "util/array.h"

#define BATCHES 4000
#define PAIRS_WANTED 200000
#define EACH_WANTED 100
#define DEVICES 6 /* indexes 1 to 6 have a device, named d1 to d6 */
#define DEVICE_NAMES 9 /* filters name some that have none, too */
#define EXIT_SKIP 77

/* How often a kind was asked and rejected, or was asked and held. */
struct coverage {
	unsigned long rejected[FILTER_KIND_COUNT];
	unsigned long held[FILTER_KIND_COUNT];
};

struct test {
	uint64_t seed;
	uint64_t random; /* state of the generator */
	struct filter_batch *batch; /* in the program's memory */
	struct filter filter; /* of the batch, as the command line would have it */
	int program_fd;
	unsigned long pairs;
	unsigned long different;
	unsigned long misordered;
	struct coverage coverage;
	unsigned int results[2]; /* failed, passed */
};

/* --- random filters and keys: of few values, so that they meet ------------------------------- */

/* splitmix64: the same sequence of a seed on every machine. */
static uint32_t random_next(struct test *test)
{
	uint64_t z = test->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) >> 32;
}

static uint32_t random_below(struct test *test, uint32_t limit)
{
	return random_next(test) % limit;
}

static uint32_t random_of(struct test *test, const uint32_t *values, size_t count)
{
	return values[random_below(test, count)];
}

#define PICK(test, values) random_of(test, values, ARRAY_SIZE(values))

static const uint32_t protocols[] = { 0, 1, 6, 6, 17, 17, 33, 47, 58, 132, 136, 255 };
static const uint32_t ports[] = { 0, 1, 53, 53, 1023, 1024, 8080, 65534, 65535 };
static const uint32_t marks[] = { 0, 1, 0xca6c, 0xca6d, 0x80000, 0x80000000, 0xffffffff };
static const uint32_t mark_masks[] = { 0, 1, 0xff, 0xff00, 0xff0000, 0x80000000, 0xffffffff };
static const uint32_t uids[] = { 0, 1, 1000, 65534, FLOW_UID_INVALID };
static const uint32_t pids[] = { 0, 0, 1, 2, 4242, 0x7fffffff };
static const uint32_t tables[] = { 0, 52, 253, 254, 254, 255, 51820, 0xffffffff };
static const uint32_t priorities[] = { 0, 5208, 5209, 32766, 32767, 0xffffffff };
static const uint32_t lengths[] = { 0, 1, 8, 9, 24, 31, 32 };
static const uint32_t lengths6[] = { 0, 1, 31, 32, 33, 64, 65, 96, 97, 127, 128 };

/* Of each byte few values, the first ones most often the same: long prefixes match at times. */
static void random_address(struct test *test, uint8_t family, uint8_t address[static 16])
{
	size_t size = family == FLOW_AF_INET ? 4 : 16;

	memset(address, 0, 16);
	for (size_t i = 0; i < size; i++) {
		if (random_below(test, 24) == 0)
			address[i] = random_below(test, 2) ? 0x80 : 0xff;
	}
	address[size - 1] |= random_below(test, 2);
}

static uint8_t random_family(struct test *test)
{
	return random_below(test, 2) ? FLOW_AF_INET : FLOW_AF_INET6;
}

static void random_key(struct test *test, struct flow_key *key)
{
	key->family = random_family(test);
	random_address(test, key->family, key->src);
	random_address(test, key->family, key->dst);
	key->protocol = PICK(test, protocols);
	key->sport = PICK(test, ports);
	key->dport = PICK(test, ports);
	key->mark = PICK(test, marks);
	key->uid = PICK(test, uids);
	key->iif = random_below(test, DEVICES + 1);
}

static void random_sample(struct test *test, struct filter_sample *sample)
{
	*sample = (struct filter_sample){ .rejected = FILTER_KIND_COUNT };
	random_key(test, &sample->key);
	sample->pid = PICK(test, pids);
	sample->purpose = random_below(test, PURPOSE_COUNT);
	sample->device = random_below(test, DEVICES + 1);
	sample->verdict.table = PICK(test, tables);
	sample->verdict.priority = PICK(test, priorities);
	sample->verdict.has_priority = random_below(test, 8) != 0;
	sample->verdict.failed = random_below(test, 2);
}

/* Most kinds absent, so that the last ones are asked too; now and then a list that is full. */
static uint32_t random_count(struct test *test)
{
	uint32_t dice = random_below(test, 48);

	if (dice == 0)
		return FILTER_MAX;
	return dice < 28 ? 0 : 1 + random_below(test, 4);
}

static uint32_t random_prefixes(struct test *test, struct prefix_filter *list)
{
	uint32_t count = random_count(test);

	for (uint32_t i = 0; i < count; i++) {
		struct prefix_filter *prefix = &list[i];
		uint8_t address[16], mask[16] = { 0 };
		uint32_t length;

		prefix->family = random_family(test);
		random_address(test, prefix->family, address);
		length =
			prefix->family == FLOW_AF_INET ? PICK(test, lengths) : PICK(test, lengths6);
		for (uint32_t bit = 0; bit < length; bit++)
			mask[bit / 8] |= 0x80 >> bit % 8;
		memcpy(prefix->mask, mask, sizeof(mask));
		memcpy(prefix->address, address, sizeof(address));
		for (size_t word = 0; word < 4; word++)
			prefix->address[word] &= prefix->mask[word];
		/* "default", of either family. */
		if (!length && prefix->family == FLOW_AF_INET)
			prefix->family = 0;
	}
	return count;
}

static uint32_t random_ports(struct test *test, struct port_filter *list)
{
	uint32_t count = random_count(test);

	for (uint32_t i = 0; i < count; i++) {
		uint16_t one = PICK(test, ports), other = PICK(test, ports);

		list[i].first = one < other ? one : other;
		list[i].last = one < other ? other : one;
	}
	return count;
}

static uint32_t random_marks(struct test *test, struct mark_filter *list)
{
	uint32_t count = random_count(test);

	for (uint32_t i = 0; i < count; i++) {
		list[i].mask = PICK(test, mark_masks);
		list[i].value = PICK(test, marks) & list[i].mask;
	}
	return count;
}

static uint32_t random_numbers(struct test *test, uint32_t *list, const uint32_t *values,
			       size_t value_count)
{
	uint32_t count = random_count(test);

	for (uint32_t i = 0; i < count; i++)
		list[i] = random_of(test, values, value_count);
	return count;
}

static uint32_t random_devices(struct test *test, char (*names)[IFNAMSIZ])
{
	uint32_t count = random_count(test);

	for (uint32_t i = 0; i < count; i++)
		snprintf(names[i], IFNAMSIZ, "d%u", 1 + random_below(test, DEVICE_NAMES));
	return count;
}

static void random_flow_filter(struct test *test, struct flow_filter *filter)
{
	static const uint32_t families[] = {
		0,
		0,
		0,
		0,
		FILTER_FAMILY_INET,
		FILTER_FAMILY_INET6,
		FILTER_FAMILY_INET | FILTER_FAMILY_INET6,
	};

	filter->families = PICK(test, families);
	filter->dst_count = random_prefixes(test, filter->dst);
	filter->src_count = random_prefixes(test, filter->src);
	filter->sport_count = random_ports(test, filter->sport);
	filter->dport_count = random_ports(test, filter->dport);
	filter->mark_count = random_marks(test, filter->mark);
	filter->protocol_count = random_count(test);
	for (uint32_t i = 0; i < filter->protocol_count; i++)
		filter->protocol[i] = PICK(test, protocols);
	filter->uid_count = random_numbers(test, filter->uid, uids, ARRAY_SIZE(uids));
	filter->pid_count = random_numbers(test, filter->pid, pids, ARRAY_SIZE(pids));
}

static void random_verdict_filter(struct test *test, struct verdict_filter *filter)
{
	filter->purposes = random_below(test, 2) ? random_below(test, 1u << PURPOSE_COUNT) : 0;
	filter->table_count = random_numbers(test, filter->table, tables, ARRAY_SIZE(tables));
	filter->priority_count =
		random_numbers(test, filter->priority, priorities, ARRAY_SIZE(priorities));
	filter->failed = random_below(test, 4) == 0;
}

static void random_filter(struct test *test, struct filter *filter)
{
	/* What lies behind a count must not matter. */
	memset(filter, random_below(test, 2) ? 0 : 0xff, sizeof(*filter));
	random_flow_filter(test, &filter->flow);
	random_verdict_filter(test, &filter->verdict);
	filter->iif_count = random_devices(test, filter->iif);
	filter->oif_count = random_devices(test, filter->oif);
}

/* --- asking both ----------------------------------------------------------------------------- */

/* The indexes of the devices that there are, as they are looked up while tracing. */
static struct device_filter devices_named(uint32_t count, char (*names)[IFNAMSIZ])
{
	struct device_filter devices = { .enabled = count != 0 };

	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = strtoul(names[i] + 1, NULL, 10);

		if (index <= DEVICES)
			devices.ifindex[devices.count++] = index;
	}
	return devices;
}

/* Hands the filter to the kernel's side and has it decide the samples; 0 or -errno. */
static int batch_decide(struct test *test)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	struct filter *filter = &test->filter;
	struct filter_batch *batch = test->batch;

	batch->filter = filter->flow;
	batch->verdict = filter->verdict;
	batch->in_devices = devices_named(filter->iif_count, filter->iif);
	batch->out_devices = devices_named(filter->oif_count, filter->oif);
	return bpf_prog_test_run_opts(test->program_fd, &options) ? -errno : 0;
}

static void device_name(char name[static IFNAMSIZ], uint32_t index)
{
	name[0] = '\0';
	if (index)
		snprintf(name, IFNAMSIZ, "d%u", index);
}

static enum filter_kind sample_rejects(const struct test *test, const struct filter_sample *sample)
{
	char iif[IFNAMSIZ], device[IFNAMSIZ];
	struct filter_subject subject = {
		.key = &sample->key,
		.iif = iif,
		.dev = device,
		.verdict = sample->verdict,
		.purpose = sample->purpose,
		.pid = sample->pid,
	};

	device_name(iif, sample->key.iif);
	device_name(device, sample->device);
	return filter_rejects(&test->filter, &subject);
}

static uint32_t filter_uses(const struct filter *filter, enum filter_kind kind)
{
	const struct flow_filter *flow = &filter->flow;
	const struct verdict_filter *verdict = &filter->verdict;
	const uint32_t used[FILTER_KIND_COUNT] = {
		[FILTER_FAMILY] = flow->families,      [FILTER_DST] = flow->dst_count,
		[FILTER_SRC] = flow->src_count,	       [FILTER_PROTOCOL] = flow->protocol_count,
		[FILTER_SPORT] = flow->sport_count,    [FILTER_DPORT] = flow->dport_count,
		[FILTER_MARK] = flow->mark_count,      [FILTER_UID] = flow->uid_count,
		[FILTER_PID] = flow->pid_count,	       [FILTER_IIF] = filter->iif_count,
		[FILTER_PURPOSE] = verdict->purposes,  [FILTER_OIF] = filter->oif_count,
		[FILTER_TABLE] = verdict->table_count, [FILTER_PRIORITY] = verdict->priority_count,
		[FILTER_FAILED] = verdict->failed,
	};

	return used[kind];
}

static void coverage_add(struct coverage *coverage, const struct filter *filter,
			 enum filter_kind rejected)
{
	enum filter_kind end = rejected == FILTER_NONE ? FILTER_KIND_COUNT : rejected;

	if (rejected != FILTER_NONE && rejected < FILTER_KIND_COUNT)
		coverage->rejected[rejected]++;
	for (enum filter_kind kind = FILTER_NONE + 1; kind < end && kind < FILTER_FINDINGS; kind++)
		coverage->held[kind] += filter_uses(filter, kind) != 0;
}

static void sample_compare(struct test *test, const struct filter_sample *sample)
{
	enum filter_kind want = sample_rejects(test, sample);

	test->pairs++;
	coverage_add(&test->coverage, &test->filter, want);
	if (sample->rejected == want)
		return;
	if (!test->different++)
		printf("# pair %lu: the kernel's side says %u ('%s'), ours %u ('%s')\n",
		       test->pairs, sample->rejected, filter_kind_option(sample->rejected), want,
		       filter_kind_option(want));
}

static int batch_run(struct test *test)
{
	int err;

	random_filter(test, &test->filter);
	for (size_t i = 0; i < BATCH_SAMPLES; i++)
		random_sample(test, &test->batch->samples[i]);
	err = batch_decide(test);
	for (size_t i = 0; !err && i < BATCH_SAMPLES; i++)
		sample_compare(test, &test->batch->samples[i]);
	return err;
}

/* --- of two kinds that reject the first is named ---------------------------------------------- */

/* All zero but for the family: what no kind below lets pass. */
static const struct filter_sample plain_sample = {
	.key = { .family = FLOW_AF_INET, .protocol = 17 },
	.rejected = FILTER_KIND_COUNT,
};

static void reject_by(struct filter *filter, enum filter_kind kind)
{
	struct flow_filter *flow = &filter->flow;
	struct verdict_filter *verdict = &filter->verdict;
	uint32_t *const counts[FILTER_KIND_COUNT] = {
		[FILTER_FAMILY] = &flow->families,
		[FILTER_DST] = &flow->dst_count,
		[FILTER_SRC] = &flow->src_count,
		[FILTER_PROTOCOL] = &flow->protocol_count,
		[FILTER_SPORT] = &flow->sport_count,
		[FILTER_DPORT] = &flow->dport_count,
		[FILTER_MARK] = &flow->mark_count,
		[FILTER_UID] = &flow->uid_count,
		[FILTER_PID] = &flow->pid_count,
		[FILTER_IIF] = &filter->iif_count,
		[FILTER_PURPOSE] = &verdict->purposes,
		[FILTER_OIF] = &filter->oif_count,
		[FILTER_TABLE] = &verdict->table_count,
		[FILTER_PRIORITY] = &verdict->priority_count,
	};

	if (kind == FILTER_FAILED)
		verdict->failed = true;
	else if (kind == FILTER_FAMILY)
		flow->families = FILTER_FAMILY_INET6;
	else if (kind == FILTER_PURPOSE)
		verdict->purposes = 1u << PURPOSE_INPUT;
	else
		*counts[kind] = 1;
}

/* One value of each list that is not the plain sample's. */
static struct filter other_values(void)
{
	struct filter filter = { .iif = { "d1" }, .oif = { "d1" } };

	filter.flow.dst[0].family = filter.flow.src[0].family = FLOW_AF_INET6;
	filter.flow.protocol[0] = 6;
	filter.flow.sport[0] = filter.flow.dport[0] = (struct port_filter){ 1, 1 };
	filter.flow.mark[0] = (struct mark_filter){ 1, 1 };
	filter.flow.uid[0] = filter.flow.pid[0] = 1;
	filter.verdict.table[0] = filter.verdict.priority[0] = 1;
	return filter;
}

static int pair_run(struct test *test, enum filter_kind first, enum filter_kind second)
{
	const struct filter_sample *sample = &test->batch->samples[0];
	enum filter_kind ours;
	int err;

	test->filter = other_values();
	reject_by(&test->filter, first);
	reject_by(&test->filter, second);
	test->batch->samples[0] = plain_sample;
	err = batch_decide(test);
	if (err)
		return err;
	ours = sample_rejects(test, sample);
	if ((ours != first || sample->rejected != first) && !test->misordered++)
		printf("# of '%s' and '%s' the kernel's side says '%s', ours '%s'\n",
		       filter_kind_option(first), filter_kind_option(second),
		       filter_kind_option(sample->rejected), filter_kind_option(ours));
	return 0;
}

static int pairs_run(struct test *test)
{
	int err = 0;

	for (enum filter_kind first = FILTER_NONE + 1; first < FILTER_FINDINGS; first++) {
		for (enum filter_kind second = first; !err && second < FILTER_FINDINGS; second++)
			err = pair_run(test, first, second);
	}
	return err;
}

/* --- results --------------------------------------------------------------------------------- */

static void result(struct test *test, bool passed, const char *name)
{
	test->results[passed]++;
	printf("%s %s\n", passed ? "ok" : "fail", name);
}

static bool every_kind_is_covered(const struct coverage *coverage)
{
	bool covered = true;

	for (enum filter_kind kind = FILTER_NONE + 1; kind < FILTER_FINDINGS; kind++) {
		printf("# %-8s rejected %lu, held %lu\n", filter_kind_option(kind),
		       coverage->rejected[kind], coverage->held[kind]);
		covered &= coverage->rejected[kind] >= EACH_WANTED &&
			   coverage->held[kind] >= EACH_WANTED;
	}
	return covered;
}

static int test_report(struct test *test)
{
	printf("# %lu pairs of a filter and a lookup, %lu decided differently\n", test->pairs,
	       test->different);
	result(test, test->pairs >= PAIRS_WANTED && !test->different, "both_filters_agree");
	result(test, !test->misordered, "of_two_kinds_that_reject_both_name_the_first");
	result(test, every_kind_is_covered(&test->coverage), "every_kind_rejects_and_holds");
	printf("%u passed, %u failed, 0 skipped\n", test->results[true], test->results[false]);
	return test->results[false] ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- the program ----------------------------------------------------------------------------- */

static struct filter_batch *batch_map(const struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".data.batch");
	void *memory;

	if (!map)
		return NULL;
	memory = mmap(NULL, sizeof(struct filter_batch), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(map), 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static int test_load(struct test *test, struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "batch_decide");

	if (!program || bpf_object__load(object))
		return -EINVAL;
	test->program_fd = bpf_program__fd(program);
	test->batch = batch_map(object);
	return test->batch ? 0 : -errno;
}

static int test_run(struct test *test, const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	int status = EXIT_FAILURE;
	int err = object ? test_load(test, object) : -errno;

	for (unsigned int i = 0; !err && i < BATCHES; i++)
		err = batch_run(test);
	if (!err)
		err = pairs_run(test);
	if (err)
		printf("fail both_filters_agree: %s: %s\n0 passed, 1 failed, 0 skipped\n", path,
		       strerror(-err));
	else
		status = test_report(test);
	if (test->batch)
		munmap(test->batch, sizeof(*test->batch));
	bpf_object__close(object);
	return status;
}

int main(int argc, char **argv)
{
	static struct test test;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: filter_same BPF_OBJECT [SEED]\n");
		return 2;
	}
	if (geteuid()) {
		printf("skip both_filters_agree: needs root\n0 passed, 0 failed, 1 skipped\n");
		return EXIT_SKIP;
	}
	test.seed = argc == 3 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	test.random = test.seed;
	printf("# seed %" PRIu64 "\n", test.seed);
	return test_run(&test, argv[1]);
}
