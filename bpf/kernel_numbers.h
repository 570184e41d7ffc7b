/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's numbers for errors, tables and softirqs, as its functions return and name them. */
#ifndef FIBTRACE_BPF_KERNEL_NUMBERS_H
#define FIBTRACE_BPF_KERNEL_NUMBERS_H

#define ERROR_SRCH (-3)
#define ERROR_AGAIN (-11)
#define ERROR_ACCES (-13)
#define ERROR_INVAL (-22)
#define ERROR_NETUNREACH (-101)
#define ERROR_HOSTUNREACH (-113)

#define TABLE_DEFAULT 253
#define TABLE_MAIN 254
#define TABLE_LOCAL 255

/* RTN_… of the routes that refuse. */
#define ROUTE_BLACKHOLE 6
#define ROUTE_UNREACHABLE 7
#define ROUTE_PROHIBIT 8
#define ROUTE_THROW 9

#define SOFTIRQ_NET_RX 3

#endif
