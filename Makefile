# SPDX-License-Identifier: ISC
# A short front for meson and ninja. `make help` tells the targets.

BUILD ?= build
MUSL_CC ?= musl-gcc
# carrel and carrel-control are static with musl; the library and the tests use the system's libc.
STATIC = $(BUILD)/static
MAIN = $(BUILD)/main
ASAN = $(BUILD)/asan
TSAN = $(BUILD)/tsan
# What `make tsan` runs: the tests of the library that have threads or very many streams.
TSAN_TESTS ?= lib-task_threads lib-threads lib-guest lib-many lib-streams
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 30

all: static main

help:
	@echo 'make            build the programs ($(STATIC)/src) and the library ($(MAIN)/src)'
	@echo 'make check      build and run all tests'
	@echo 'make asan       the same under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make tsan       the tests of the library with threads under ThreadSanitizer'
	@echo 'make fuzz       fuzz each parser and the port for FUZZ_SECONDS ($(FUZZ_SECONDS)) with clang'
	@echo 'make lint       both compilers, manual pages, shell scripts'
	@echo 'make vm         some tests in a virtual machine: Linux 6.1, cgroup v2 alone'
	@echo 'make bench      measure, side by side with what is installed'
	@echo 'make install    into PREFIX ($(PREFIX)), honours DESTDIR; uninstall takes it away again'

# musl brings no kernel headers; give it the system's, behind its own.
$(BUILD)/kernel-headers:
	mkdir -p $@
	ln -sfn /usr/include/linux $@/linux
	ln -sfn /usr/include/asm-generic $@/asm-generic
	ln -sfn /usr/include/$$(gcc -print-multiarch)/asm $@/asm

$(STATIC)/build.ninja: | $(BUILD)/kernel-headers
	CC='$(MUSL_CC)' meson setup $(STATIC) --prefix=$(PREFIX) -Dtests=false -Dstatic_programs=true \
		-Ddefault_library=static -Dkernel_headers=$(abspath $(BUILD))/kernel-headers

$(MAIN)/build.ninja:
	meson setup $(MAIN) --prefix=$(PREFIX) -Dtest_programs=$(abspath $(STATIC))/src -Dbench=true

$(ASAN)/build.ninja:
	meson setup $(ASAN) -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized \
		-Dtest_programs=$(abspath $(ASAN))/src

# The control process has no threads: it is the plain one.
$(TSAN)/build.ninja:
	meson setup $(TSAN) -Db_sanitize=thread -Db_lundef=false --buildtype=debugoptimized -Dfuzz=false \
		-Dprograms=false -Ddefault_library=static -Dtest_programs=$(abspath $(STATIC))/src

static: $(STATIC)/build.ninja
	ninja -C $(STATIC)

main: $(MAIN)/build.ninja
	ninja -C $(MAIN)

check: static main
	python3 tests/runner.py $(MAIN) --skips tests/skips.expected $(TESTS)

asan: $(ASAN)/build.ninja
	ninja -C $(ASAN)
	python3 tests/runner.py $(ASAN) --skips tests/skips.expected --sanitized $(TESTS)

tsan: static $(TSAN)/build.ninja
	ninja -C $(TSAN)
	python3 tests/runner.py $(TSAN) --skips tests/skips.expected --sanitized $(TSAN_TESTS)

fuzz:
	[ -f $(BUILD)/fuzz/build.ninja ] || CC=clang meson setup $(BUILD)/fuzz -Dfuzz=true -Dtests=false \
		-Dprograms=false -Ddefault_library=static
	ninja -C $(BUILD)/fuzz
	sh scripts/fuzz $(BUILD)/fuzz $(FUZZ_SECONDS)

vm: static main
	sh tests/vm/run $(MAIN) $(STATIC) $(TESTS)

lint: static main
	sh scripts/lint $(BUILD)

bench: static main
	sh bench/run $(MAIN) $(STATIC)
	sh bench/port $(STATIC)/src/carrel-port $(MAIN)/bench/nop

install: static main
	DESTDIR='$(DESTDIR)' meson install -C $(MAIN) --no-rebuild --skip-subprojects
	DESTDIR='$(DESTDIR)' meson install -C $(STATIC) --no-rebuild --tags runtime

uninstall:
	ninja -C $(STATIC) uninstall
	ninja -C $(MAIN) uninstall

clean:
	rm -rf $(BUILD)

.PHONY: all help static main check asan tsan vm fuzz lint bench install uninstall clean
