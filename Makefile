# StoryChain: `make run` starts it, `make test` tests it, `make help` explains the rest.
.DEFAULT_GOAL := help
.PHONY: run build test lib check check-redis check-interop check-fault check-app check-browser asan tsan fuzz \
        bench bench-queue bench-cache bench-cron bench-schedule fmt lint verify install clean help
MAKEFLAGS += --no-print-directory

PRESET ?= dev
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
LISTEN ?= 127.0.0.1:8080

# Configures once, then builds, with progress on a terminal; ninja looks again at what changed.
define compile
	@[ -f build/$(1)/build.ninja ] || cmake --preset $(1) >build.log 2>&1 || { cat build.log; exit 1; }; rm -f build.log
	@ninja -C build/$(1) $(if $(MAKE_TERMOUT),,--quiet) $(2)
endef

run: build            ## build, then serve on http://127.0.0.1:8080 with a Redis, a database and mail of its own
	@build/release/storychain serve --listen $(LISTEN) --sample

build:                ## install what is missing and build the release preset: build/release/storychain
	@tools/setup build
	$(call compile,release,all)

test:                 ## install what is missing, build with sanitizers, run every test
	@tools/setup test
	$(call compile,asan,all)
	$(call compile,tsan,all)
	@tools/test_all build/asan build/tsan

check:                ## unit tests alone, no server (PRESET=dev)
	$(call compile,$(PRESET),all)
	@tools/run_tests build/$(PRESET) --kind c --only unit
check-redis:          ## tests against a real Redis
	$(call compile,$(PRESET),all)
	@tools/run_tests build/$(PRESET) --kind c --only redis
check-fault:          ## cut connections, killed servers, hostile servers
	$(call compile,$(PRESET),all)
	@tools/run_tests build/$(PRESET) --kind c --only fault
check-app:            ## StoryChain's services, mail, processors, HTTP
	$(call compile,$(PRESET),all)
	@tools/run_tests build/$(PRESET) --only app --only server
check-interop:        ## real BullMQ from npm on the other side
	@tools/setup test
	$(call compile,$(PRESET),all)
	@tools/run_tests build/$(PRESET) --kind node --only interop
check-browser:        ## the dashboard in a real browser
	@tools/setup test
	$(call compile,$(PRESET),all)
	@tools/run_tests build/$(PRESET) --kind node --only browser
asan tsan:            ## every C test under AddressSanitizer and UBSan; under ThreadSanitizer
	@tools/setup test
	$(call compile,$@,all)
	@tools/run_tests build/$@ --kind c --kind fuzz
fuzz:                 ## fuzz each parser for FUZZ_SECONDS (60)
	@tools/setup fuzz
	$(call compile,fuzz,all)
	@tools/fuzz build/fuzz $(FUZZ_SECONDS)

bench: bench-queue bench-cache bench-cron bench-schedule ## all benchmarks, each beside its peer in the same run
bench-queue:          ## adding and processing jobs, beside BullMQ on the same server
	@tools/setup bench
	$(call compile,release,all)
	@node bench/queue.mjs
bench-cron:           ## next times of cron expressions, beside croner and cron-parser
	@tools/setup bench
	$(call compile,release,all)
	@node bench/cron.mjs

bench-schedule:       ## lateness of schedules, and many due at once, beside BullMQ
	@tools/setup bench
	$(call compile,release,all)
	@node bench/schedule.mjs
bench-cache:          ## hits in memory beside bentocache and lru-cache; hit ratios (TRACES=folder)
	@tools/setup bench
	$(call compile,release,all)
	@node bench/cache.mjs $(TRACES)
	@node bench/cache_fleet.mjs
	@folder=$$(mktemp -d); build/release/bench-pattern $$folder; rm -r $$folder

fmt:                  ## format the C sources, bring docs/protocol.md up to date
	@find include src tests bench examples -name '*.[ch]' -not -path '*/node_modules/*' | xargs clang-format-14 -i
	@tools/protocol
lint:                 ## format, floors and circles of includes, banned functions, cppcheck
	@tools/setup test
	@tools/lint
verify: lint test     ## what CI does

install: build        ## install program, library, headers and man pages below PREFIX (/usr/local)
	@cmake --install build/release --prefix $(PREFIX) >/dev/null && echo "installed below $(PREFIX)"
clean:                ## remove everything that was built
	@rm -rf build
help:                 ## this list
	@echo "StoryChain: caching, job queues and scheduled jobs on Redis and Valkey, in C."; echo
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / { sub(/:.*/, "", $$1); printf "  make %-15s %s\n", $$1, $$2 }' Makefile
