# playbot. `make` prints this help; `make demo` and `make test` need only Go and make.
.DEFAULT_GOAL := help
GO       ?= go
FUZZTIME ?= 10s
# -race needs a C compiler; without one the tests run all the same.
RACE     := $(shell command -v "$${CC:-cc}" >/dev/null 2>&1 && echo -race)
LINT     := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LINTBIN  := $(CURDIR)/.cache/bin/golangci-lint
# The bot's own module, and those that keep what only tests need away from it.
MODULES  := . engine/choria/realfleet cmd/internal/demoreal cmd/internal/browsertest

.PHONY: help
help: ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/playbot
	@$(GO) build -trimpath -ldflags="-s -w" -o bin/playbot ./cmd/playbot

.PHONY: demo
demo: build ## play the main job to its end in this terminal, on embedded parts
	@bin/playbot demo

.PHONY: demo-real
demo-real: ## the same with real Choria servers, HAProxy, NRPE, puppet and PuppetDB of Debian; installs them as root
	@cd cmd/internal/demoreal && $(GO) build -o ../../../bin/demoreal/ ./cmd/...
	@bin/demoreal/demoreal

.PHONY: dev
dev: build ## the same in the browser: local workspace, simulated fleet, no accounts
	@bin/playbot dev

.PHONY: test
test: ## every test that needs Go alone (with -race where there is a C compiler)
	$(GO) test $(RACE) -shuffle=on ./...

.PHONY: quick
quick: ## short tests, under 15 seconds once built
	$(GO) test -short ./...

.PHONY: integration
integration: ## tests with Chromium, npm, real Choria servers, HAProxy, NRPE, puppet and PuppetDB, and the long simulations
	$(GO) test -count=1 -timeout 60m -run TestApproval_inEveryOrder ./engine -args -interleavings=50000
	$(GO) test -count=1 -timeout 60m -run TestPress_thatIsForged ./bot -args -forgeries=20000
	$(GO) test -tags integration -count=1 ./bot/workspace/bolttest/... ./bot/typestest/... ./engine/puppetdb/realpdb/...
	cd engine/choria/realfleet && $(GO) test -count=1 ./...
	cd cmd/internal/demoreal && $(GO) test -count=1 -timeout 30m ./...
	cd cmd/internal/browsertest && $(GO) test -count=1 ./...

.PHONY: bench
bench: ## benchmarks, as ratios taken in one run
	$(GO) test -run '^$$' -bench . -benchtime 2s ./playbooks ./store ./engine ./engine/choria ./commands ./bot ./cmd/playbot
	cd engine/choria/realfleet && $(GO) test -run '^$$' -bench . -benchtime 1x ./ratio

.PHONY: fuzz
fuzz: ## each fuzz target in turn for FUZZTIME
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p || exit 1; done; done

.PHONY: golden
golden: ## rewrite golden files; look at the difference before committing it
	$(GO) test ./playbooks ./playbooks/lint ./commands ./bot ./cmd/internal/refdoc ./cmd/internal/booktest -update

.PHONY: lint
lint: $(LINTBIN) ## golangci-lint, with the pinned version
	@for m in $(MODULES); do (cd $$m && $(LINTBIN) run ./...) || exit 1; done

$(LINTBIN):
	GOBIN=$(dir $(LINTBIN)) $(GO) install $(LINT)

.PHONY: fmt
fmt: $(LINTBIN) ## format
	$(LINTBIN) fmt ./...

.PHONY: check
check: lint test verify ## what CI runs without the real servers

.PHONY: verify
verify: ## modules are tidy
	@for m in $(MODULES); do (cd $$m && $(GO) mod tidy -diff) || exit 1; done

.PHONY: hooks
hooks: ## run `make quick` before each commit
	git config core.hooksPath .githooks
