// SPDX-License-Identifier: GPL-2.0-only
/* The hooks of one tier: which of its programs this kernel has a place for, attached one by one. */
#include "capture/hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/loader.h"
#include "util/array.h"
#include "util/report.h"

#define PROGRAMS_PER_HOOK 2

#define REQUIRED 1u /* without it the tier is refused */
#define TELLS_PURPOSE 2u
#define REQUIRED_ALONE 4u /* where its family is the only one of interest */

/* A function that the kernel may have. module: where it is when the kernel itself has it not. */
struct hook_row {
	const char *function;
	const char *gives;
	unsigned int flags;
	uint32_t families; /* FILTER_FAMILY_…: whose lookups they are; 0: of all */
	const char *module;
	const char *instead_of; /* only where this function cannot be hooked */
	const char *after; /* of no use where this function is not hooked, in a tier that does */
};

static const struct hook_row rows[] = {
	{ .function = "softirq_entry", .gives = "who looks up", .flags = REQUIRED },
	{ .function = "softirq_exit", .gives = "who looks up", .flags = REQUIRED },
	{ .function = "netif_receive_skb", .gives = "the namespace of some received packets" },
	{ .function = "net_rx_action", .gives = "that lookups about some packets are not seen" },
	{ .function = "fib_rules_lookup", .gives = "the walk over the rules", .flags = REQUIRED },
	{ .function = "fib4_rule_action",
	  .families = FILTER_FAMILY_INET,
	  .gives = "what came of each rule",
	  .flags = REQUIRED },
	{ .function = "fib_table_lookup",
	  .families = FILTER_FAMILY_INET,
	  .gives = "what each table answered",
	  .flags = REQUIRED },
	{ .function = "fib6_table_lookup",
	  .families = FILTER_FAMILY_INET6,
	  .flags = REQUIRED_ALONE,
	  .gives = "IPv6 lookups",
	  .after = "fib6_rule_lookup" },
	{ .function = "fib6_rule_lookup",
	  .families = FILTER_FAMILY_INET6,
	  .flags = REQUIRED_ALONE,
	  .gives = "IPv6 lookups",
	  .module = "ipv6" },
	{ .function = "fib6_rule_action",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "IPv6 lookups where there are rules",
	  .module = "ipv6" },
	{ .function = "fib6_lookup",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "IPv6 lookups for routes that are added and by BPF programs",
	  .module = "ipv6" },
	{ .function = "ip_route_output_key_hash_rcu",
	  .families = FILTER_FAMILY_INET,
	  .gives =
		  "the nexthop chosen of several, bound-device, the source address, purpose output",
	  .flags = TELLS_PURPOSE },
	{ .function = "ip_route_input_slow",
	  .families = FILTER_FAMILY_INET,
	  .gives = "the nexthop chosen of several for what is forwarded, purpose input",
	  .flags = TELLS_PURPOSE },
	{ .function = "__fib_validate_source",
	  .families = FILTER_FAMILY_INET,
	  .gives = "some lookups of purpose source-check" },
	{ .function = "inet_rtm_getroute",
	  .families = FILTER_FAMILY_INET,
	  .gives = "purpose and cause route-get" },
	{ .function = "fib_check_nh", .families = FILTER_FAMILY_INET, .gives = "cause route-add" },
	{ .function = "ip_route_output_flow",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause send, cause tunnel of WireGuard" },
	{ .function = "ip_route_me_harder",
	  .families = FILTER_FAMILY_INET,
	  .gives = "purpose reroute" },
	{ .function = "tcp_v4_connect",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause connect of TCP" },
	{ .function = "__ip4_datagram_connect",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause connect of UDP" },
	{ .function = "__icmp_send", .families = FILTER_FAMILY_INET, .gives = "cause icmp-error" },
	{ .function = "icmp_reply",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause reply of ICMP" },
	{ .function = "icmp_echo",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause reply of ICMP",
	  .instead_of = "icmp_reply" },
	{ .function = "icmp_timestamp",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause reply of ICMP",
	  .instead_of = "icmp_reply" },
	{ .function = "ip_send_unicast_reply",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause reply of TCP" },
	{ .function = "inet_csk_route_req",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause reply of TCP" },
	{ .function = "inet_csk_route_child_sock",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause reply of TCP" },
	{ .function = "xfrm4_dst_lookup",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause tunnel of IPsec" },
	{ .function = "ip_tunnel_xmit",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause tunnel of ipip and gre",
	  .module = "ip_tunnel" },
	{ .function = "ip_md_tunnel_xmit",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause tunnel of ipip and gre",
	  .module = "ip_tunnel" },
	{ .function = "udp_tunnel_dst_lookup",
	  .families = FILTER_FAMILY_INET,
	  .gives = "cause tunnel of vxlan and geneve",
	  .module = "udp_tunnel" },
	{ .function = "ip6_route_output_flags",
	  .families = FILTER_FAMILY_INET6,
	  .flags = TELLS_PURPOSE,
	  .gives = "purpose output of IPv6, cause send, cause tunnel of WireGuard",
	  .module = "ipv6" },
	{ .function = "ip6_route_input",
	  .families = FILTER_FAMILY_INET6,
	  .flags = TELLS_PURPOSE,
	  .gives = "purpose input of IPv6",
	  .module = "ipv6" },
	{ .function = "ip6_dst_lookup_flow",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "the source address of IPv6",
	  .module = "ipv6" },
	{ .function = "inet6_rtm_getroute",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "purpose and cause route-get of IPv6",
	  .module = "ipv6" },
	{ .function = "fib6_nh_init",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause route-add of IPv6",
	  .module = "ipv6" },
	{ .function = "ip6_route_me_harder",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "purpose reroute of IPv6" },
	{ .function = "tcp_v6_connect",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause connect of TCP over IPv6",
	  .module = "ipv6" },
	{ .function = "__ip6_datagram_connect",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause connect of UDP over IPv6",
	  .module = "ipv6" },
	{ .function = "icmp6_send",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause icmp-error of ICMPv6",
	  .module = "ipv6" },
	{ .function = "icmpv6_echo_reply",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause reply of ICMPv6",
	  .module = "ipv6" },
	{ .function = "tcp_v6_send_response",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause reply of TCP over IPv6",
	  .module = "ipv6" },
	{ .function = "inet6_csk_route_req",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause reply of TCP over IPv6",
	  .module = "ipv6" },
	{ .function = "xfrm6_dst_lookup",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause tunnel of IPsec over IPv6",
	  .module = "ipv6" },
	{ .function = "ip6_tnl_xmit",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause tunnel of ip6tnl and ip6gre",
	  .module = "ip6_tunnel" },
	{ .function = "udp_tunnel6_dst_lookup",
	  .families = FILTER_FAMILY_INET6,
	  .gives = "cause tunnel of vxlan and geneve over IPv6",
	  .module = "ip6_udp_tunnel" },
};

enum method { METHOD_TRACEPOINT, METHOD_TRAMPOLINE, METHOD_PROBE };

static const char *const method_names[] = {
	[METHOD_TRACEPOINT] = "tracepoint",
	[METHOD_TRAMPOLINE] = "fentry",
	[METHOD_PROBE] = "kprobe",
};

/* How a program is attached, by the beginning of its section's name. */
static const struct {
	const char *prefix;
	enum method method;
	unsigned int place; /* among the programs of the hook: the return comes first */
} sections[] = {
	{ "tp_btf/", METHOD_TRACEPOINT, 0 }, { "fexit/", METHOD_TRAMPOLINE, 0 },
	{ "fentry/", METHOD_TRAMPOLINE, 1 }, { "kretprobe/", METHOD_PROBE, 0 },
	{ "kprobe/", METHOD_PROBE, 1 },
};

struct hook {
	const struct hook_row *row;
	enum method method;
	bool wanted;
	bool found; /* the kernel's BTF has the function */
	bool attached;
	char reason[512];
	struct bpf_program *programs[PROGRAMS_PER_HOOK];
	struct bpf_link *links[PROGRAMS_PER_HOOK];
};

struct hooks {
	uint32_t families; /* that are of interest */
	size_t count;
	struct hook hooks[TIER_HOOKS_MAX];
};

static const struct hook_row *row_find(const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].function, function))
			return &rows[i];
	}
	return NULL;
}

static struct hook *hook_find(struct hooks *hooks, const char *function, enum method method)
{
	for (size_t i = 0; i < hooks->count; i++) {
		struct hook *hook = &hooks->hooks[i];

		if (hook->method == method && !strcmp(hook->row->function, function))
			return hook;
	}
	return NULL;
}

static struct hook *hook_add(struct hooks *hooks, const char *function, enum method method)
{
	const struct hook_row *row = row_find(function);
	struct hook *hook = hook_find(hooks, function, method);

	if (hook || !row || hooks->count == TIER_HOOKS_MAX)
		return hook;
	hook = &hooks->hooks[hooks->count++];
	*hook = (struct hook){ .row = row, .method = method, .wanted = true };
	return hook;
}

/* Programs that user space runs itself belong to no hook. False: a program that no row knows. */
static bool hooks_take(struct hooks *hooks, struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		size_t length = strlen(sections[i].prefix);
		struct hook *hook;

		if (strncmp(section, sections[i].prefix, length))
			continue;
		hook = hook_add(hooks, section + length, sections[i].method);
		if (hook)
			hook->programs[sections[i].place] = program;
		return hook;
	}
	return bpf_program__type(program) == BPF_PROG_TYPE_RAW_TRACEPOINT;
}

static void hook_leave_out(struct hook *hook, const char *reason)
{
	hook->wanted = false;
	snprintf(hook->reason, sizeof(hook->reason), "%s", reason);
	for (size_t i = 0; i < PROGRAMS_PER_HOOK; i++) {
		if (hook->programs[i])
			bpf_program__set_autoload(hook->programs[i], false);
	}
}

/* Marks the hooks whose functions are in btf, looking at each of its many types once. */
static void hooks_find_functions(struct hooks *hooks, const struct btf *btf)
{
	for (unsigned int id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name;

		if (!btf_is_func(type))
			continue;
		name = btf__name_by_offset(btf, type->name_off);
		for (size_t i = 0; i < hooks->count; i++) {
			struct hook *hook = &hooks->hooks[i];

			hook->found |= !strcmp(hook->row->function, name);
		}
	}
}

static bool module_has(struct btf *kernel, const struct hook_row *row)
{
	struct btf *module;
	bool found;

	if (!row->module)
		return false;
	module = btf__load_module_btf(row->module, kernel);
	if (!module)
		return false;
	found = btf__find_by_name_kind(module, row->function, BTF_KIND_FUNC) > 0;
	btf__free(module);
	return found;
}

static void hook_check(struct hook *hook, struct btf *kernel)
{
	char reason[128];

	if (hook->method == METHOD_TRACEPOINT || hook->found || !hook->wanted)
		return;
	if (module_has(kernel, hook->row)) {
		/* The modules' own BTF is found by going through all of it. */
		if (hook->method == METHOD_TRAMPOLINE && !loader_is_admin())
			hook_leave_out(hook, "needs CAP_SYS_ADMIN");
		return;
	}
	if (hook->row->module)
		snprintf(reason, sizeof(reason), "module %s is not loaded, or has no such function",
			 hook->row->module);
	else
		snprintf(reason, sizeof(reason), "this kernel has no such function");
	hook_leave_out(hook, reason);
}

/* A stand-in is wanted where what it stands in for is not there. */
static void hook_check_stand_in(struct hooks *hooks, struct hook *hook)
{
	const struct hook *other;

	if (!hook->wanted || !hook->row->instead_of)
		return;
	other = hook_find(hooks, hook->row->instead_of, hook->method);
	if (other && other->wanted)
		hook_leave_out(hook, "");
}

static bool row_is_wanted(const struct hooks *hooks, const struct hook_row *row)
{
	return !row->families || row->families & hooks->families;
}

static bool row_is_required(const struct hooks *hooks, const struct hook_row *row)
{
	return (row->flags & REQUIRED && row_is_wanted(hooks, row)) ||
	       (row->flags & REQUIRED_ALONE && hooks->families == row->families);
}

/* Before the others are looked for. */
static void hooks_leave_out_families(struct hooks *hooks)
{
	for (size_t i = 0; i < hooks->count; i++) {
		if (!row_is_wanted(hooks, hooks->hooks[i].row))
			hook_leave_out(&hooks->hooks[i], "");
	}
}

static bool hooks_take_all(struct hooks *hooks, struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, object) {
		if (!hooks_take(hooks, program))
			return false;
	}
	return true;
}

static bool hooks_need_functions(const struct hooks *hooks)
{
	for (size_t i = 0; i < hooks->count; i++) {
		if (hooks->hooks[i].method != METHOD_TRACEPOINT)
			return true;
	}
	return false;
}

static int hooks_check(struct hooks *hooks)
{
	struct btf *kernel;

	if (!hooks_need_functions(hooks))
		return 0;
	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		return -errno;
	hooks_find_functions(hooks, kernel);
	for (size_t i = 0; i < hooks->count; i++)
		hook_check(&hooks->hooks[i], kernel);
	for (size_t i = 0; i < hooks->count; i++)
		hook_check_stand_in(hooks, &hooks->hooks[i]);
	btf__free(kernel);
	return 0;
}

struct hooks *hooks_new(struct bpf_object *object, uint32_t families)
{
	struct hooks *hooks = calloc(1, sizeof(*hooks));
	int err = 0;

	if (!hooks)
		return NULL;
	hooks->families = families ? families : FILTER_FAMILIES;
	if (!hooks_take_all(hooks, object))
		err = -EINVAL;
	hooks_leave_out_families(hooks);
	if (!err)
		err = hooks_check(hooks);
	if (!err)
		return hooks;
	free(hooks);
	errno = -err;
	return NULL;
}

void hooks_free(struct hooks *hooks)
{
	if (!hooks)
		return;
	hooks_detach(hooks);
	free(hooks);
}

void hooks_leave_out(struct hooks *hooks, size_t index, const char *reason)
{
	hook_leave_out(&hooks->hooks[index], reason);
}

bool hooks_wants(const struct hooks *hooks, size_t index)
{
	return hooks->hooks[index].wanted;
}

void hooks_keep_only(struct hooks *hooks, size_t index)
{
	for (size_t i = 0; i < hooks->count; i++) {
		if (i != index)
			hook_leave_out(&hooks->hooks[i], "");
	}
}

static void hook_detach(struct hook *hook)
{
	/* The entry first: a return without one is ignored. */
	for (size_t i = PROGRAMS_PER_HOOK; i-- > 0;) {
		bpf_link__destroy(hook->links[i]);
		hook->links[i] = NULL;
	}
	hook->attached = false;
}

static void hook_attach(struct hook *hook)
{
	for (size_t i = 0; i < PROGRAMS_PER_HOOK; i++) {
		struct loader_reason reason;
		int err;

		if (!hook->programs[i])
			continue;
		hook->links[i] = bpf_program__attach(hook->programs[i]);
		if (hook->links[i])
			continue;
		err = -errno;
		loader_explain(&reason, err, bpf_program__section_name(hook->programs[i]));
		hook_detach(hook);
		snprintf(hook->reason, sizeof(hook->reason), "%s", reason.text);
		return;
	}
	hook->attached = true;
}

/* A probe is the fentry tier's stand-in for a trampoline; where that holds it is not needed. */
static bool probe_needed(struct hooks *hooks, const struct hook *hook)
{
	const struct hook *trampoline;

	if (hook->method != METHOD_PROBE)
		return true;
	trampoline = hook_find(hooks, hook->row->function, METHOD_TRAMPOLINE);
	return !trampoline || !trampoline->attached;
}

/* False where the tier looks at the function that this hook is of use after, and could not. */
static bool hook_is_of_use(struct hooks *hooks, const struct hook *hook)
{
	bool tried = false;

	for (size_t i = 0; i < hooks->count && hook->row->after; i++) {
		const struct hook *other = &hooks->hooks[i];

		if (strcmp(other->row->function, hook->row->after))
			continue;
		if (other->attached)
			return true;
		tried = true;
	}
	return !tried;
}

static void hook_attach_wanted(struct hooks *hooks, struct hook *hook)
{
	if (!hook->wanted || !probe_needed(hooks, hook))
		return;
	if (hook_is_of_use(hooks, hook))
		hook_attach(hook);
	else
		snprintf(hook->reason, sizeof(hook->reason), "%s is not hooked", hook->row->after);
}

int hooks_attach(struct hooks *hooks, struct loader_reason *reason)
{
	for (size_t i = 0; i < hooks->count; i++) {
		if (!hooks->hooks[i].row->after)
			hook_attach_wanted(hooks, &hooks->hooks[i]);
	}
	for (size_t i = 0; i < hooks->count; i++) {
		struct hook *hook = &hooks->hooks[i];

		if (hook->row->after)
			hook_attach_wanted(hooks, hook);
		if (hook->attached || !row_is_required(hooks, hook->row))
			continue;
		snprintf(reason->text, sizeof(reason->text), "%s: %s", hook->row->function,
			 hook->reason);
		return -ENOTSUP;
	}
	return 0;
}

void hooks_detach(struct hooks *hooks)
{
	for (size_t i = 0; i < hooks->count; i++)
		hook_detach(&hooks->hooks[i]);
}

/* The child: it is the last to hold the hooks, from when the parent has let go of them. */
static void detach_after(struct hooks *hooks, int parent)
{
	char none;

	setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	while (read(parent, &none, 1) < 0 && errno == EINTR)
		;
	hooks_detach(hooks);
	_exit(EXIT_SUCCESS);
}

static bool hooks_attached(const struct hooks *hooks)
{
	for (size_t i = 0; i < hooks->count; i++) {
		if (hooks->hooks[i].attached)
			return true;
	}
	return false;
}

void hooks_detach_in_background(struct hooks *hooks)
{
	int ends[2] = { -1, -1 };
	pid_t child = -1;

	if (hooks_attached(hooks) && !pipe2(ends, O_CLOEXEC))
		child = fork();
	if (!child) {
		close(ends[1]);
		detach_after(hooks, ends[0]);
	}
	/* Where there is no child, this waits. */
	hooks_detach(hooks);
	if (ends[0] >= 0) {
		close(ends[0]);
		close(ends[1]);
	}
}

uint32_t hooks_tell_purpose(const struct hooks *hooks)
{
	uint32_t families = FILTER_FAMILIES;

	for (size_t i = 0; i < hooks->count; i++) {
		const struct hook *hook = &hooks->hooks[i];

		if (hook->row->flags & TELLS_PURPOSE && !hook->attached)
			families &= ~hook->row->families;
	}
	return families;
}

bool hooks_are_blind(const struct hooks *hooks, struct loader_reason *reason)
{
	for (size_t i = 0; i < hooks->count; i++) {
		const struct hook *hook = &hooks->hooks[i];

		if (hook->attached || !(hook->row->flags & REQUIRED_ALONE) ||
		    !row_is_wanted(hooks, hook->row))
			continue;
		snprintf(reason->text, sizeof(reason->text), "%s: %.400s", hook->row->function,
			 hook->reason);
		return true;
	}
	return false;
}

size_t hooks_count(const struct hooks *hooks)
{
	return hooks->count;
}

struct hook_state hooks_state(const struct hooks *hooks, size_t index)
{
	const struct hook *hook = &hooks->hooks[index];
	struct hook_state state = {
		.function = hook->row->function,
		.method = method_names[hook->method],
		.gives = hook->row->gives,
		.instead_of = hook->row->instead_of,
		.required = row_is_required(hooks, hook->row),
		.attached = hook->attached,
	};

	snprintf(state.reason, sizeof(state.reason), "%s", hook->reason);
	return state;
}

/* What the kernel tells of a link to a probe (6.7 and newer), as far as it is of interest here;
 * the installed headers may be older. */
struct probe_link_info {
	__u32 type;
	__u32 id;
	__u32 prog_id;
	__u32 pad;
	__u32 perf_type;
	__u32 perf_pad;
	__u64 name;
	__u32 name_length;
	__u32 offset;
	__u64 address;
	__u64 missed;
	__u64 cookie;
};

#define PROBE_TYPE_KPROBE 3 /* BPF_PERF_EVENT_KPROBE */
#define PROBE_TYPE_KRETPROBE 4 /* BPF_PERF_EVENT_KRETPROBE */

static bool probe_missed(const struct bpf_link *link, uint64_t *missed)
{
	struct probe_link_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size))
		return false;
	if (info.perf_type != PROBE_TYPE_KPROBE && info.perf_type != PROBE_TYPE_KRETPROBE)
		return false;
	*missed += info.missed;
	return true;
}

static bool program_missed(const struct bpf_program *program, uint64_t *missed)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return false;
	*missed += info.recursion_misses;
	return size >=
	       offsetof(struct bpf_prog_info, recursion_misses) + sizeof(info.recursion_misses);
}

static bool hook_missed(const struct hook *hook, uint64_t *missed)
{
	bool known = true;

	for (size_t i = 0; i < PROGRAMS_PER_HOOK; i++) {
		if (!hook->links[i])
			continue;
		known &= program_missed(hook->programs[i], missed);
		if (hook->method == METHOD_PROBE)
			known &= probe_missed(hook->links[i], missed);
	}
	return known;
}

bool hooks_missed(const struct hooks *hooks, uint64_t *missed)
{
	bool known = true;

	*missed = 0;
	for (size_t i = 0; i < hooks->count; i++)
		known &= hook_missed(&hooks->hooks[i], missed);
	return known;
}
