// SPDX-License-Identifier: GPL-2.0-only
/* `fibtrace [FILTERS] [-- COMMAND]`: a trace from attaching to the counts. */
#include "trace_command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "capture/capture.h"
#include "clock.h"
#include "command.h"
#include "display.h"
#include "journal/journal.h"
#include "owners_files.h"
#include "present.h"
#include "session.h"
#include "spaces.h"
#include "trace/policy_walks.h"
#include "trace/stack.h"
#include "util/array.h"
#include "util/privileges.h"
#include "util/report.h"
#include "util/symbols.h"

/* Reading lags at most this far behind, whether or not the ring has woken us. */
#define LOOK_EVERY_MS 50
#define RELEASE_EVERY_NS 1000000000ull

#define EXIT_OURS_FAILED 125
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

/* Everything of one trace. */
struct trace {
	const struct options *options;
	struct capture *capture;
	struct spaces *spaces;
	struct symbols *symbols;
	struct owners *owners;
	struct owners_source *owners_sources; /* for the log */
	struct log_writer *log;
	struct journal *journal;
	struct presenter *presenter;
	struct session *session;
	struct command_process command;
	struct render_options render;
	int epoll_fd;
	uint64_t deadline_ns; /* of --duration, 0: none */
	uint64_t release_ns; /* when to look for namespaces that are gone */
	sighandler_t pipe_handler;
};

static volatile sig_atomic_t reopen_requested;

static void on_signal(int signal)
{
	stop_requested = signal;
}

static void on_hangup(int signal)
{
	(void)signal;
	reopen_requested = 1;
}

/* A second signal of a kind ends us at once, be it while the reader of our output stands still;
 * but SIGINT is COMMAND's. One that comes just before we wait is seen LOOK_EVERY_MS later. */
static void signal_take(const struct trace *trace, int number)
{
	bool again = trace->options->child && number == SIGINT;
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = again ? 0 : SA_RESETHAND,
	};

	sigaction(number, &action, NULL);
}

static void signals_prepare(struct trace *trace)
{
	struct sigaction hangup;

	sigaction(SIGHUP, NULL, &hangup);
	/* nohup(1) means it. A log goes on in a new file, as logrotate(8) expects. */
	if (hangup.sa_handler != SIG_IGN && trace->options->log && !trace->options->child)
		sigaction(SIGHUP, &(struct sigaction){ .sa_handler = on_hangup }, NULL);
	else if (hangup.sa_handler != SIG_IGN)
		signal_take(trace, SIGHUP);
	signal_take(trace, SIGINT);
	signal_take(trace, SIGTERM);
	trace->pipe_handler = signal(SIGPIPE, SIG_IGN);
	/* Ignored, it would take COMMAND's exit status from us. */
	signal(SIGCHLD, SIG_DFL);
}

static int trace_open_spaces(struct trace *trace)
{
	const struct options *options = trace->options;
	struct spaces_settings settings = {
		.specs = options->netns,
		.spec_count = options->netns_count,
		.all = options->netns_all,
		.max_routes = options->max_routes,
		.owners = trace->owners,
	};
	struct spaces_hooks hooks = {
		.policy_changed = session_policy_changed,
		.warning = session_warning,
		.data = trace->session,
	};

	trace->spaces = spaces_open(&settings, &hooks);
	return trace->spaces ? 0 : -errno;
}

static int trace_open_capture(struct trace *trace)
{
	const struct options *options = trace->options;
	struct capture_settings *settings = calloc(1, sizeof(*settings));
	struct trace_config *config;

	if (!settings)
		return -ENOMEM;
	settings->buffer_size = options->buffer_size;
	settings->attach = options->attach;
	config = &settings->config;
	config->filter = options->filter.flow;
	/* Prefixes of one family leave the other's lookups alone. */
	config->filter.families = flow_filter_families(&options->filter.flow);
	config->verdict = options->filter.verdict;
	config->netns_all = options->netns_all;
	config->address_checks = options->all;
	config->netns_count = 0;
	for (size_t i = 0; i < spaces_count(trace->spaces) && !options->netns_all; i++)
		config->netns[config->netns_count++] = spaces_at(trace->spaces, i)->netns.inode;
	trace->capture = capture_open(settings);
	free(settings);
	return trace->capture ? 0 : -errno;
}

/* Where purposes come from stacks; without symbols the flow key tells what it can. */
static void trace_read_symbols(struct trace *trace)
{
	const char *names[128];
	size_t count = 0;

	if (capture_is_exact(trace->capture))
		return;
	while (count < ARRAY_SIZE(names) && stack_marker(count)) {
		names[count] = stack_marker(count);
		count++;
	}
	trace->symbols = symbols_read("/proc/kallsyms", names, count);
	if (!trace->symbols)
		report_warning("/proc/kallsyms tells no addresses (%s): source-check, reroute and "
			       "route-get are shown as output or input; CAP_SYSLOG helps",
			       strerror(errno));
}

static bool add_device(struct device_filter *devices, const struct policy *policy, const char *name)
{
	const struct link *link = policy_link_by_name(policy, name);

	if (!link || devices->count == FILTER_MAX)
		return false;
	devices->ifindex[devices->count++] = link->index;
	return true;
}

static struct device_filter devices_named(const struct policy *policy, uint32_t count,
					  const char names[][IFNAMSIZ])
{
	struct device_filter devices = { .enabled = 1 };

	for (uint32_t i = 0; i < count; i++)
		add_device(&devices, policy, names[i]);
	return devices;
}

/* --iif and --oif in the kernel, where one namespace is traced and its devices have one meaning. */
static void trace_update_devices(struct trace *trace)
{
	const struct filter *filter = &trace->options->filter;
	struct device_filter devices;
	const struct policy *policy;

	if (trace->options->netns_all || spaces_count(trace->spaces) != 1)
		return;
	policy = space_policy(spaces_at(trace->spaces, 0));
	if (!policy)
		return;
	if (filter->iif_count) {
		devices = devices_named(policy, filter->iif_count, filter->iif);
		capture_set_devices(trace->capture, &devices);
	}
	if (filter->oif_count) {
		devices = devices_named(policy, filter->oif_count, filter->oif);
		capture_set_out_devices(trace->capture, &devices);
	}
}

/* FILTER_FAMILY_…: those whose lookups are looked at. */
static uint32_t trace_families(const struct trace *trace)
{
	return flow_filter_families(&trace->options->filter.flow);
}

static bool walks_are_ambiguous(const struct trace *trace, const struct policy *policy)
{
	uint32_t families = trace_families(trace);

	return (families & FILTER_FAMILY_INET && policy_family_ambiguous(policy, FLOW_AF_INET)) ||
	       (families & FILTER_FAMILY_INET6 && policy_family_ambiguous(policy, FLOW_AF_INET6));
}

/* What the exact tiers see for themselves. */
static void trace_update_boundaries(struct trace *trace)
{
	bool ambiguous = false;

	if (capture_is_exact(trace->capture))
		return;
	for (size_t i = 0; i < spaces_count(trace->spaces); i++) {
		const struct policy *policy = space_policy(spaces_at(trace->spaces, i));

		ambiguous |= policy && walks_are_ambiguous(trace, policy);
	}
	capture_set_send_rejected(trace->capture, ambiguous);
}

static int trace_watch(struct trace *trace, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(trace->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int trace_open_waits(struct trace *trace)
{
	int err;

	trace->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (trace->epoll_fd < 0)
		return -errno;
	err = trace_watch(trace, capture_fd(trace->capture));
	if (!err)
		err = trace_watch(trace, spaces_fd(trace->spaces));
	if (!err && trace->command.pid)
		err = trace_watch(trace, trace->command.pidfd);
	return err;
}

static bool trace_read_seq(void *data, int fd, struct policy_seq seq[FLOW_FAMILY_COUNT])
{
	return capture_read_seq(data, fd, seq);
}

/* What it held is gone from here on: all that may fail at the start has not. */
static int trace_open_log(struct trace *trace)
{
	const struct options *options = trace->options;
	const char *name = options->log;
	const struct log_files_settings settings = {
		.name = name,
		.max_size = options->log_size,
		.period_s = options->log_period_ns / 1000000000,
		.count = options->log_count,
	};
	int err;

	if (!name)
		return 0;
	if (!strcmp(name, "-") && isatty(STDOUT_FILENO)) {
		report_error("-w -: a log is binary, and standard output is a terminal; give a "
			     "file or a pipe");
		return -EINVAL;
	}
	trace->log = log_writer_open(&settings);
	if (trace->log) {
		for (const struct owners_source *source = trace->owners_sources; source;
		     source = source->next)
			log_writer_owners(trace->log, source->file, source->content,
					  source->length);
		return 0;
	}
	err = -errno;
	report_error("cannot write %s: %s", name, log_writer_strerror(err));
	return err;
}

/* Before there is a sandbox. That a trace begins shows that entries arrive, too. */
static int trace_open_journal(struct trace *trace)
{
	struct entry entry = { 0 };
	int err;

	if (!trace->options->journal)
		return 0;
	trace->journal = journal_open();
	if (!trace->journal)
		return -errno;
	entry_start(&entry, FIBTRACE_VERSION, capture_tier(trace->capture),
		    trace->options->filters);
	err = journal_send(trace->journal, &entry);
	entry_free(&entry);
	if (err)
		report_error("--journal: journald takes no entries: %s", strerror(-err));
	return err;
}

static int trace_open_presenter(struct trace *trace)
{
	const struct options *options = trace->options;
	const struct presenter_settings settings = {
		.filter = &options->filter,
		.format = (options->log || options->journal) && !options->format
				  ? NULL
				  : display_format(options),
		.render = &trace->render,
		.log = trace->log,
		.journal = trace->journal,
		.limit = options->count,
		.exact = capture_is_exact(trace->capture),
	};

	trace->presenter = presenter_new(&settings);
	return trace->presenter ? 0 : -errno;
}

static int trace_open_session(struct trace *trace)
{
	const struct options *options = trace->options;
	struct session_settings settings = {
		.capture = trace->capture,
		.spaces = trace->spaces,
		.filter = &options->filter,
		.symbols = trace->symbols,
		.netns_all = options->netns_all,
		.quiet = options->quiet,
	};
	int err = trace_open_journal(trace);

	/* Behind it, for opening a log empties the file. */
	if (!err)
		err = trace_open_log(trace);
	if (!err)
		err = trace_open_presenter(trace);
	if (err)
		return err;
	settings.presenter = trace->presenter;
	trace->session = session_new(&settings);
	return trace->session ? 0 : -errno;
}

/* The output begins with its first line: notifications are read from here on, and may be shown. */
static int trace_start_session(struct trace *trace)
{
	int err = session_start(trace->session, trace->options->filters);

	if (err)
		return err;
	spaces_set_data(trace->spaces, trace->session);
	spaces_set_seq_reader(trace->spaces, trace_read_seq, trace->capture);
	return 0;
}

static int trace_drop_privileges(struct trace *trace)
{
	char kept[128];
	int err = privileges_drop(trace->options->netns_all, kept, sizeof(kept));

	if (err)
		report_error("cannot drop privileges: %s", strerror(-err));
	else
		report_note("capabilities kept: %s", kept[0] ? kept : "none");
	return err;
}

static void trace_warn_command_namespace(const struct trace *trace)
{
	for (size_t i = 0; i < spaces_count(trace->spaces); i++) {
		if (spaces_at(trace->spaces, i)->own || trace->options->netns_all)
			return;
	}
	report_warning("COMMAND runs in fibtrace's own network namespace, which is not traced");
}

static int trace_fork_command(struct trace *trace)
{
	struct command_settings settings = {
		.argv = trace->options->child,
		.to_stderr = !isatty(STDOUT_FILENO),
		.pipe_handler = trace->pipe_handler,
	};
	int err;

	if (!trace->options->child)
		return 0;
	err = command_fork(&trace->command, &settings);
	if (err)
		report_error("cannot start %s: %s", trace->options->child[0], strerror(-err));
	return err;
}

static int trace_read_owners(struct trace *trace)
{
	trace->owners =
		owners_read(OWNERS_DIRECTORY, trace->options->log ? &trace->owners_sources : NULL);
	trace->render.owners = trace->owners;
	trace->render.json_rules = json_rules_new();
	return trace->owners && trace->render.json_rules ? 0 : -errno;
}

/* Everything up to the moment at which lookups are counted. */
static int trace_open(struct trace *trace)
{
	int err = trace_fork_command(trace);

	if (!err)
		err = trace_read_owners(trace);
	if (!err)
		err = trace_open_spaces(trace);
	if (!err)
		err = trace_open_capture(trace);
	if (err)
		return err;
	trace_read_symbols(trace);
	err = trace_open_session(trace);
	if (!err)
		err = trace_open_waits(trace);
	if (!err)
		err = trace_drop_privileges(trace);
	if (!err)
		err = trace_start_session(trace);
	return err;
}

/* 0 or -errno: a log that could not be written. */
static int trace_close_log(struct trace *trace)
{
	int before = trace->presenter ? presenter_error(trace->presenter) : 0;
	int err = log_writer_close(trace->log);

	trace->log = NULL;
	if (!err || before || err == -EPIPE)
		return 0;
	report_error("cannot write %s: %s", trace->options->log, log_writer_strerror(err));
	return err;
}

static void trace_close(struct trace *trace)
{
	command_abort(&trace->command);
	session_free(trace->session);
	trace_close_log(trace);
	presenter_free(trace->presenter);
	journal_close(trace->journal);
	owners_sources_free(trace->owners_sources);
	capture_close(trace->capture);
	spaces_close(trace->spaces);
	json_rules_free(trace->render.json_rules);
	owners_free(trace->owners);
	symbols_free(trace->symbols);
	if (trace->epoll_fd >= 0)
		close(trace->epoll_fd);
}

static void warn_hidden_reject(const struct trace *trace, const struct policy *policy,
			       uint8_t family)
{
	uint32_t priority;

	if (policy_hides_reject(policy, family, &priority))
		report_warning("%srule %u rejects before any table is asked: what it decides "
			       "cannot be seen in the %s tier",
			       family == FLOW_AF_INET6 ? "IPv6 " : "", priority,
			       capture_tier(trace->capture));
}

/* The one thing that a user would look for in vain, said before the looking. */
static void trace_warn_hidden_rejects(const struct trace *trace)
{
	if (capture_is_exact(trace->capture))
		return;
	for (size_t i = 0; i < spaces_count(trace->spaces); i++) {
		const struct policy *policy = space_policy(spaces_at(trace->spaces, i));

		if (!policy)
			continue;
		if (trace_families(trace) & FILTER_FAMILY_INET)
			warn_hidden_reject(trace, policy, FLOW_AF_INET);
		if (trace_families(trace) & FILTER_FAMILY_INET6)
			warn_hidden_reject(trace, policy, FLOW_AF_INET6);
	}
}

static int trace_begin(struct trace *trace)
{
	int err;

	spaces_drain(trace->spaces);
	trace_warn_hidden_rejects(trace);
	trace_update_devices(trace);
	trace_update_boundaries(trace);
	capture_start(trace->capture);
	report_note("ready: tier %s, attached", capture_tier(trace->capture));
	if (trace->options->duration_ns)
		trace->deadline_ns = clock_boottime_now() + trace->options->duration_ns;
	if (!trace->command.pid)
		return 0;
	trace_warn_command_namespace(trace);
	err = command_start(&trace->command);
	if (err)
		report_error("cannot run %s: %s", trace->options->child[0], strerror(-err));
	return err;
}

/* With a COMMAND, SIGINT is for it to act upon, and the others are passed on. */
static void trace_take_signal(struct trace *trace)
{
	int signal_number = stop_requested;

	if (!trace->command.pid || !signal_number)
		return;
	stop_requested = 0;
	signal_take(trace, signal_number);
	if (signal_number != SIGINT)
		command_signal(&trace->command, signal_number);
}

/* How long to wait for a time to come, 0 for none, but no longer than timeout_ms. */
static int timeout_until(uint64_t time_ns, uint64_t now_ns, int timeout_ms)
{
	uint64_t left_ms;

	if (!time_ns)
		return timeout_ms;
	if (now_ns >= time_ns)
		return 0;
	left_ms = (time_ns - now_ns) / 1000000 + 1;
	return left_ms < (uint64_t)timeout_ms ? (int)left_ms : timeout_ms;
}

static int trace_timeout(const struct trace *trace)
{
	uint64_t now = clock_boottime_now();
	int timeout_ms = LOOK_EVERY_MS;

	if (session_has_more(trace->session))
		return 0;
	timeout_ms = timeout_until(session_due(trace->session), now, timeout_ms);
	return timeout_until(trace->deadline_ns, now, timeout_ms);
}

/* Waits, then handles what came. 1 when the trace has come to its end. */
static int trace_turn(struct trace *trace)
{
	struct epoll_event events[4];
	int count = epoll_wait(trace->epoll_fd, events, ARRAY_SIZE(events), trace_timeout(trace));
	uint64_t now = clock_boottime_now();
	bool command_ended = false;
	int end;

	trace_take_signal(trace);
	if (reopen_requested) {
		reopen_requested = 0;
		if (!log_writer_reopen(trace->log))
			stop_requested = SIGHUP;
	}
	for (int i = 0; i < count; i++)
		command_ended |= trace->command.pid && events[i].data.fd == trace->command.pidfd;
	end = session_run_batch(trace->session);
	trace_update_devices(trace);
	trace_update_boundaries(trace);
	if (now >= trace->release_ns) {
		spaces_release_gone(trace->spaces);
		capture_reap(trace->capture);
		trace->release_ns = now + RELEASE_EVERY_NS;
	}
	if (end)
		return end;
	return command_ended || stop_requested || (trace->deadline_ns && now >= trace->deadline_ns);
}

static int trace_loop(struct trace *trace)
{
	int end = 0;

	while (!end)
		end = trace_turn(trace);
	capture_stop(trace->capture);
	if (end >= 0)
		end = session_finish(trace->session);
	if (end >= 0)
		end = trace_close_log(trace);
	return end;
}

/* A COMMAND that still runs when the trace has ended (-c, --duration) is waited for. */
static int trace_status(struct trace *trace, int err)
{
	int status;

	if (!trace->options->child)
		return err ? EXIT_FAILURE : EXIT_SUCCESS;
	if (err || !trace->command.pid)
		return EXIT_OURS_FAILED;
	while ((status = command_wait(&trace->command)) == -EINTR)
		trace_take_signal(trace);
	return status < 0 ? EXIT_OURS_FAILED : status;
}

static int command_failed_status(int err)
{
	return err == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int trace_command(const struct options *options, const struct names *names)
{
	struct trace trace = {
		.options = options,
		.command = { .pidfd = -1, .gate = -1, .error = -1 },
		.render = display_options(options, names),
		.epoll_fd = -1,
	};
	int status, err;

	signals_prepare(&trace);
	err = trace_open(&trace);
	if (err) {
		trace_close(&trace);
		return options->child ? EXIT_OURS_FAILED : EXIT_FAILURE;
	}
	err = trace_begin(&trace);
	if (err) {
		capture_stop(trace.capture);
		session_finish(trace.session);
		trace_close(&trace);
		return command_failed_status(err);
	}
	err = trace_loop(&trace);
	status = trace_status(&trace, err);
	trace_close(&trace);
	return status;
}
