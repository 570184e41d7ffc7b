/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments and the place on the stack of a probed call, out of its registers. */
#ifndef FIBTRACE_BPF_KPROBE_ARGUMENTS_BPF_H
#define FIBTRACE_BPF_KPROBE_ARGUMENTS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/hooks.bpf.h"

/* How far the stack pointers of entry and return may differ: kernels disagree on how much of the
 * return is done when the probe of it runs. Two calls are never as close. */
#define PROBE_SLACK 16

#if defined(__TARGET_ARCH_x86)
#define probe_argument_1(ctx) ((ctx)->di)
#define probe_argument_2(ctx) ((ctx)->si)
#define probe_argument_3(ctx) ((ctx)->dx)
#define probe_argument_4(ctx) ((ctx)->cx)
#define probe_argument_5(ctx) ((ctx)->r8)
#define probe_argument_6(ctx) ((ctx)->r9)
#define probe_result(ctx) ((ctx)->ax)
#define probe_address(ctx) ((ctx)->sp)
/* The return address has been taken off the stack. */
#define probe_return_address(ctx) ((ctx)->sp - 8)
#elif defined(__TARGET_ARCH_arm64)
#define probe_argument_1(ctx) ((ctx)->regs[0])
#define probe_argument_2(ctx) ((ctx)->regs[1])
#define probe_argument_3(ctx) ((ctx)->regs[2])
#define probe_argument_4(ctx) ((ctx)->regs[3])
#define probe_argument_5(ctx) ((ctx)->regs[4])
#define probe_argument_6(ctx) ((ctx)->regs[5])
#define probe_result(ctx) ((ctx)->regs[0])
#define probe_address(ctx) ((ctx)->sp)
#define probe_return_address(ctx) ((ctx)->sp)
#else
#error "no names for the registers of this machine"
#endif

/* The two programs of a function that is of interest for being on the way alone. */
#define PROBE_REASON_HOOK(function, kind)                                                          \
	SEC("kprobe/" #function)                                                                   \
	int function##_probe_enter(struct pt_regs *ctx)                                            \
	{                                                                                          \
		reason_enter(probe_address(ctx), kind);                                            \
		return 0;                                                                          \
	}                                                                                          \
                                                                                                   \
	SEC("kretprobe/" #function)                                                                \
	int function##_probe_leave(struct pt_regs *ctx)                                            \
	{                                                                                          \
		reason_leave(probe_return_address(ctx), kind, PROBE_SLACK);                        \
		return 0;                                                                          \
	}

#endif
