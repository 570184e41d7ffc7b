// SPDX-License-Identifier: GPL-2.0-only
/* The COMMAND behind `--`: started when tracing is attached, traced until it ends. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's side: waits for the gate, then becomes argv. */
static void command_child(int gate, int error, const struct command_settings *settings)
{
	char byte;
	int err;

	if (read(gate, &byte, 1) != 1)
		_exit(125);
	if (settings->to_stderr)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	signal(SIGPIPE, settings->pipe_handler);
	execvp(settings->argv[0], settings->argv);
	err = errno;
	if (write(error, &err, sizeof(err)) != sizeof(err))
		_exit(125);
	_exit(err == ENOENT ? 127 : 126);
}

int command_fork(struct command_process *command, const struct command_settings *settings)
{
	int gate[2], error[2];

	*command = (struct command_process){ .pidfd = -1, .gate = -1, .error = -1 };
	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		close(gate[0]);
		close(gate[1]);
		return -errno;
	}
	command->gate = gate[1];
	command->error = error[0];
	command->pid = fork();
	if (!command->pid) {
		close(gate[1]);
		close(error[0]);
		command_child(gate[0], error[1], settings);
	}
	close(gate[0]);
	close(error[1]);
	if (command->pid < 0) {
		command->pid = 0;
		return -errno;
	}
	command->pidfd = syscall(SYS_pidfd_open, command->pid, 0);
	return command->pidfd < 0 ? -errno : 0;
}

int command_start(struct command_process *command)
{
	int err = 0;

	if (write(command->gate, "", 1) != 1)
		return -errno;
	close(command->gate);
	command->gate = -1;
	/* The pipe closes without a word when execvp() succeeds. */
	if (read(command->error, &err, sizeof(err)) != sizeof(err))
		err = 0;
	return -err;
}

void command_signal(const struct command_process *command, int signal)
{
	if (command->pid)
		kill(command->pid, signal);
}

int command_wait(struct command_process *command)
{
	int status;

	if (waitpid(command->pid, &status, 0) < 0)
		return -errno;
	command->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void command_abort(struct command_process *command)
{
	if (command->gate >= 0)
		close(command->gate);
	if (command->error >= 0)
		close(command->error);
	if (command->pidfd >= 0)
		close(command->pidfd);
	command->gate = command->error = command->pidfd = -1;
	while (command->pid && command_wait(command) == -EINTR)
		;
}
