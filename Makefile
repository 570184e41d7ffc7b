# SPDX-License-Identifier: GPL-2.0-only
# fibtrace: `make` builds build/fibtrace, `make demo` shows it, `make test` proves it.

VERSION := 0.1.0
BUILD ?= build
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool || echo bpftool)
LLVM_STRIP ?= $(shell command -v llvm-strip || command -v llvm-strip-14 || echo llvm-strip)
PKG_CONFIG ?= pkg-config
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
mandir ?= $(prefix)/share/man
DESTDIR ?=
V ?= 0

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2);)

ARCH_x86_64 := x86
ARCH_aarch64 := arm64
BPF_ARCH := $(ARCH_$(shell uname -m))

LIBS := libbpf libelf zlib libmnl libcap-ng libseccomp
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
ALL_CFLAGS = -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -DFIBTRACE_VERSION='"$(VERSION)"' \
	-I. -Iuser -I$(BUILD) $(CFLAGS)
ALL_LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS))
BPF_CFLAGS := -std=gnu11 -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) $(WARNINGS) \
	-Wno-missing-prototypes -Wno-unused-parameter -I. -Ivmlinux

TIERS := tracepoint
SKELS := $(TIERS:%=$(BUILD)/bpf/%.skel.h)
SOURCES := $(sort $(wildcard user/*.c user/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps demo test test-full check install clean

all: $(BUILD)/fibtrace

$(BUILD)/fibtrace: $(OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJECTS) $(ALL_LDLIBS)

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -c $< -o $@ && $(LLVM_STRIP) -g $@

$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# Order-only: the .d file adds the real dependency.
$(BUILD)/user/%.o: user/%.c Makefile | $(SKELS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

install: $(BUILD)/fibtrace
	install -D -m 755 $(BUILD)/fibtrace $(DESTDIR)$(sbindir)/fibtrace
	install -D -m 644 docs/fibtrace.8 $(DESTDIR)$(mandir)/man8/fibtrace.8

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(TIERS:%=$(BUILD)/bpf/%.bpf.d)
