/* SPDX-License-Identifier: GPL-2.0-only */
/* The COMMAND behind `--`: started when tracing is attached, traced until it ends. */
#ifndef FIBTRACE_COMMAND_H
#define FIBTRACE_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct command_process {
	pid_t pid; /* 0: none */
	int pidfd; /* becomes readable when it ends */
	int gate; /* closed or written to: it goes on */
	int error; /* tells the errno of a failed execvp() */
};

/* How the child begins: to_stderr: its standard output goes to standard error;
 * pipe_handler: what SIGPIPE did for our caller. */
struct command_settings {
	char **argv;
	bool to_stderr;
	sighandler_t pipe_handler;
};

/* Forks; the child waits before it becomes argv. 0 or -errno. */
int command_fork(struct command_process *command, const struct command_settings *settings);

/* Lets it go on. 0, or -errno when it could not be executed. */
int command_start(struct command_process *command);

/* Sends it a signal, if it still runs. */
void command_signal(const struct command_process *command, int signal);

/* Waits for its end: its exit status, 128+N when signal N killed it; -EINTR after a signal. */
int command_wait(struct command_process *command);

/* Ends one that was never started, and closes what is open. */
void command_abort(struct command_process *command);

#endif
