# SPDX-License-Identifier: GPL-2.0-only
# fibtrace: `make` builds build/fibtrace, `make demo` shows it, `make test` proves it.

VERSION := 0.1.0
BUILD ?= build
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool || echo bpftool)
LLVM_STRIP ?= $(shell command -v llvm-strip || echo llvm-strip)
PKG_CONFIG ?= pkg-config
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
mandir ?= $(prefix)/share/man
datadir ?= $(prefix)/share
unitdir ?= $(prefix)/lib/systemd/system
DESTDIR ?=
V ?= 0

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2);)

ARCH_x86_64 := x86
ARCH_aarch64 := arm64
BPF_ARCH := $(ARCH_$(shell uname -m))

LIBS := libbpf libelf zlib libmnl libcap-ng libseccomp
CFLAGS ?= -O2 -g
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
BASE_CFLAGS = -std=gnu11 -pthread $(WARNINGS) -D_GNU_SOURCE -DFIBTRACE_VERSION='"$(VERSION)"' \
	-I. -Iuser -I$(BUILD)
ALL_LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS)) -pthread -ldl
BPF_CFLAGS := -std=gnu11 -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) $(WARNINGS) \
	-Wno-missing-prototypes -Wno-unused-parameter -I. -Ivmlinux

TIERS := fentry kprobe tracepoint
SKELS := $(TIERS:%=$(BUILD)/bpf/%.skel.h)
SOURCES := $(sort $(wildcard user/*.c user/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
# What tests are linked with: everything but main(), with and without sanitizers.
LIBRARY_OBJECTS := $(filter-out $(BUILD)/user/main.o,$(OBJECTS))
SANE_OBJECTS := $(LIBRARY_OBJECTS:$(BUILD)/user/%=$(BUILD)/sane/user/%)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
SANE_PROGRAMS := $(UNIT_TESTS) $(BUILD)/tests/replay/replay
PROGRAMS := $(BUILD)/tests/replay/record $(BUILD)/tests/live/monitor_dump \
	$(BUILD)/tests/live/filter_same $(BUILD)/tests/live/udp_flood $(BUILD)/tests/live/send
TEST_FILES := $(SANE_PROGRAMS) $(PROGRAMS) $(BUILD)/tests/live/filter_same.bpf.o

FUZZ_CFLAGS := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
FUZZ_OBJECTS := $(LIBRARY_OBJECTS:$(BUILD)/user/%=$(BUILD)/fuzz/user/%) $(BUILD)/fuzz/tests/fuzz/fuzz_log.o
FUZZ_SECONDS ?= 3600

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps demo test test-full vm check bench fuzz programs install clean

all: $(BUILD)/fibtrace

$(BUILD)/fibtrace: $(OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS)

$(BUILD)/%.bpf.o: %.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -c $< -o $@ && $(LLVM_STRIP) -g $@

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(*F)_bpf > $@

$(BUILD)/fuzz/%.o: %.c Makefile | $(SKELS)
	$(call say,CC-FUZZ,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BASE_CFLAGS) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@

# Order-only: the .d file adds the real dependency.
$(BUILD)/user/%.o: user/%.c Makefile | $(SKELS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/sane/user/%.o: user/%.c Makefile | $(SKELS)
	$(call say,CC-SAN,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(BASE_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

# It is included by the assembler, which writes no .d file.
$(BUILD)/user/rules/owners_builtin.o $(BUILD)/sane/user/rules/owners_builtin.o: user/rules/owners.conf

$(SANE_PROGRAMS): $(BUILD)/tests/%: tests/%.c $(SANE_OBJECTS) Makefile
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(BASE_CFLAGS) $(SANITIZE) -MMD -MP -MF $@.d -o $@ $< \
		$(SANE_OBJECTS) $(ALL_LDLIBS) -lcmocka

$(PROGRAMS): $(BUILD)/tests/%: tests/%.c $(LIBRARY_OBJECTS) Makefile
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
		$(LIBRARY_OBJECTS) $(ALL_LDLIBS)

programs: $(BUILD)/fibtrace $(TEST_FILES)

# Installs what building and testing need; FOR=build only building, FOR=vm the VMs too.
FOR ?= test
deps:
	$(Q)tests/deps.sh $(FOR)

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)FIBTRACE=$(CURDIR)/$(BUILD)/fibtrace tests/live/demo.sh

# What needs no root: unit tests under ASan and UBSan, replay, lints.
check: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)BUILD=$(BUILD) tests/run.sh unit replay lint

test: FOR := vm
test: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)BUILD=$(BUILD) tests/run.sh unit replay lint live vm

test-full: FOR := vm
test-full: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)BUILD=$(BUILD) FULL=1 tests/run.sh unit replay lint live vm

# The tests on other kernels, in QEMU: `make vm KERNEL=6.1 TEST=story`.
vm: FOR := vm
vm: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)BUILD=$(BUILD) tests/vm/run.sh $(KERNEL) $(if $(TEST),--test $(TEST))

# Speed, on a machine that does nothing else; LOOKUPS=100000 for a quicker look.
bench: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)FIBTRACE=$(CURDIR)/$(BUILD)/fibtrace UDP_FLOOD=$(CURDIR)/$(BUILD)/tests/live/udp_flood \
		tests/bench/bench.sh

# What is found is left in $(BUILD)/fuzz: `$(BUILD)/fuzz/fuzz_log FILE` runs it again.
fuzz: deps
	$(Q)$(MAKE) --no-print-directory $(BUILD)/fuzz/fuzz_log
	$(Q)mkdir -p $(BUILD)/fuzz/corpus && cd $(BUILD)/fuzz && ./fuzz_log corpus \
		$(CURDIR)/tests/fuzz/logs -max_len=65536 -timeout=60 -rss_limit_mb=2048 \
		-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1

$(BUILD)/fuzz/fuzz_log: $(FUZZ_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LDLIBS)

install: $(BUILD)/fibtrace
	install -D -m 755 $(BUILD)/fibtrace $(DESTDIR)$(sbindir)/fibtrace
	install -D -m 644 docs/fibtrace.8 $(DESTDIR)$(mandir)/man8/fibtrace.8
	install -D -m 644 docs/schema.json $(DESTDIR)$(datadir)/fibtrace/schema.json
	install -D -m 644 docs/completion/fibtrace.bash \
		$(DESTDIR)$(datadir)/bash-completion/completions/fibtrace
	install -d -m 755 $(DESTDIR)$(unitdir)
	sed 's,/usr/local/sbin/,$(sbindir)/,' docs/packaging/fibtrace.service > \
		$(DESTDIR)$(unitdir)/fibtrace.service

clean:
	rm -rf $(BUILD)

-include $(FUZZ_OBJECTS:.o=.d)
-include $(OBJECTS:.o=.d) $(SANE_OBJECTS:.o=.d) $(TIERS:%=$(BUILD)/bpf/%.bpf.d)
-include $(TEST_FILES:=.d) $(BUILD)/tests/live/filter_same.bpf.d
