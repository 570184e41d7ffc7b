#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stands for the schema check in guests, where reading its module takes seconds every time.
#
# What fibtrace writes has the same form on every kernel: the native tests check all of it, and in
# a guest the oracle checks what it has seen, once.
