// SPDX-License-Identifier: GPL-2.0-only
/* The filter in BPF and the filter in C decide the same: random filters, random keys, both asked. */
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

#include "filter/filter.h"
#include "util/array.h"

#define BATCHES 4000
#define PAIRS_WANTED 200000
#define EACH_WANTED 100
#define KINDS (FILTER_PID + 1)
#define EXIT_SKIP 77

/* How often a kind was asked and rejected, or was asked and held. */
struct coverage {
	unsigned long rejected[KINDS];
	unsigned long held[KINDS];
};

struct test {
	uint64_t seed;
	uint64_t random; /* state of the generator */
	struct filter_batch *batch; /* in the program's memory */
	int program_fd;
	unsigned long pairs;
	unsigned long different;
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

static void random_sample(struct test *test, struct filter_sample *sample)
{
	struct flow_key *key = &sample->key;

	*sample = (struct filter_sample){ .rejected = FILTER_KIND_COUNT };
	key->family = random_family(test);
	random_address(test, key->family, key->src);
	random_address(test, key->family, key->dst);
	key->protocol = PICK(test, protocols);
	key->sport = PICK(test, ports);
	key->dport = PICK(test, ports);
	key->mark = PICK(test, marks);
	key->uid = PICK(test, uids);
	sample->pid = PICK(test, pids);
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

static void random_filter(struct test *test, struct flow_filter *filter)
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

	/* What lies behind a count must not matter. */
	memset(filter, random_below(test, 2) ? 0 : 0xff, sizeof(*filter));
	filter->families = PICK(test, families);
	filter->dst_count = random_prefixes(test, filter->dst);
	filter->src_count = random_prefixes(test, filter->src);
	filter->sport_count = random_ports(test, filter->sport);
	filter->dport_count = random_ports(test, filter->dport);
	filter->mark_count = random_marks(test, filter->mark);
	filter->protocol_count = random_count(test);
	for (uint32_t i = 0; i < filter->protocol_count; i++)
		filter->protocol[i] = PICK(test, protocols);
	filter->uid_count = random_count(test);
	for (uint32_t i = 0; i < filter->uid_count; i++)
		filter->uid[i] = PICK(test, uids);
	filter->pid_count = random_count(test);
	for (uint32_t i = 0; i < filter->pid_count; i++)
		filter->pid[i] = PICK(test, pids);
}

/* --- asking both ----------------------------------------------------------------------------- */

static uint32_t filter_uses(const struct flow_filter *filter, enum filter_kind kind)
{
	const uint32_t used[KINDS] = {
		[FILTER_FAMILY] = filter->families,   [FILTER_DST] = filter->dst_count,
		[FILTER_SRC] = filter->src_count,     [FILTER_PROTOCOL] = filter->protocol_count,
		[FILTER_SPORT] = filter->sport_count, [FILTER_DPORT] = filter->dport_count,
		[FILTER_MARK] = filter->mark_count,   [FILTER_UID] = filter->uid_count,
		[FILTER_PID] = filter->pid_count,
	};

	return used[kind];
}

static void coverage_add(struct coverage *coverage, const struct flow_filter *filter,
			 enum filter_kind rejected)
{
	enum filter_kind end = rejected == FILTER_NONE ? KINDS : rejected;

	if (rejected != FILTER_NONE && rejected < KINDS)
		coverage->rejected[rejected]++;
	for (enum filter_kind kind = FILTER_NONE + 1; kind < end && kind < KINDS; kind++)
		coverage->held[kind] += filter_uses(filter, kind) != 0;
}

static void sample_compare(struct test *test, const struct filter_sample *sample)
{
	const struct flow_filter *filter = &test->batch->filter;
	enum filter_kind want = flow_filter_rejects(filter, &sample->key, sample->pid);

	test->pairs++;
	coverage_add(&test->coverage, filter, want);
	if (sample->rejected == want)
		return;
	if (!test->different++)
		printf("# pair %lu: the kernel's side says %u ('%s'), ours %u ('%s')\n",
		       test->pairs, sample->rejected, filter_kind_option(sample->rejected), want,
		       filter_kind_option(want));
}

static int batch_run(struct test *test)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	random_filter(test, &test->batch->filter);
	for (size_t i = 0; i < BATCH_SAMPLES; i++)
		random_sample(test, &test->batch->samples[i]);
	if (bpf_prog_test_run_opts(test->program_fd, &options))
		return -errno;
	for (size_t i = 0; i < BATCH_SAMPLES; i++)
		sample_compare(test, &test->batch->samples[i]);
	return 0;
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

	for (enum filter_kind kind = FILTER_NONE + 1; kind < KINDS; kind++) {
		printf("# %-8s rejected %lu, held %lu\n", filter_kind_option(kind),
		       coverage->rejected[kind], coverage->held[kind]);
		covered &= coverage->rejected[kind] >= EACH_WANTED &&
			   coverage->held[kind] >= EACH_WANTED;
	}
	return covered;
}

static int test_report(struct test *test)
{
	printf("# %lu pairs of a filter and a key, %lu decided differently\n", test->pairs,
	       test->different);
	result(test, test->pairs >= PAIRS_WANTED && !test->different, "both_filters_agree");
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
	struct test test = { .seed = time(NULL) };

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: filter_same BPF_OBJECT [SEED]\n");
		return 2;
	}
	if (geteuid()) {
		printf("skip both_filters_agree: needs root\n0 passed, 0 failed, 1 skipped\n");
		return EXIT_SKIP;
	}
	if (argc == 3)
		test.seed = strtoull(argv[2], NULL, 0);
	test.random = test.seed;
	printf("# seed %" PRIu64 "\n", test.seed);
	return test_run(&test, argv[1]);
}
