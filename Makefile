# SPDX-License-Identifier: Apache-2.0
#
# `make help` lists what there is. The go command does all the work; this file holds its settings.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# One set of settings for building and testing, so that both share one build cache: a cold build of the collector takes some
# 1,100 CPU seconds. The tags leave out what only other clouds need: 110 packages of Prometheus service discovery, tracing in gRPC.
TAGS := remove_all_sd,enable_kubernetes_sd,grpcnotrace
export GOFLAGS := -trimpath -tags=$(TAGS)
export CGO_ENABLED := 0
export TAGS

BIN ?= bin
# A release is the commit that carries its tag; everything else is a development version of its commit.
VERSION ?= $(shell git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null)
COMMIT ?= $(shell commit=$$(git rev-parse -q --verify --short=12 HEAD 2>/dev/null) && echo "$$commit$$(git diff --quiet HEAD || echo .dirty)")
VERSION_PACKAGE := github.com/k0rdent/kof/internal/version
LDFLAGS = -s -w -X $(VERSION_PACKAGE).version=$(VERSION) -X $(VERSION_PACKAGE).commit=$(COMMIT)

# Tests that start servers or the whole agent take their time on a machine with few cores.
TEST_TIMEOUT ?= 20m
# What has goroutines of its own.
RACE_PACKAGES ?= ./components/... ./internal/... ./test/backends/... ./test/toolcache/...

TOOLS := go run ./test/cmd/tools

##@ Try it

.PHONY: demo
demo: build ## Two regions with real backends and an agent with real input; a live table until Ctrl-C
	@go build -o $(BIN)/kof-demo ./test/demo
	@$(BIN)/kof-demo -agent $(BIN)/kof-otelcol

.PHONY: demo-check
demo-check: build ## The demo without a terminal: a minute of input, then every record is looked for in the stores
	@go build -o $(BIN)/kof-demo ./test/demo
	@$(BIN)/kof-demo -agent $(BIN)/kof-otelcol -check

.PHONY: demo-outage
demo-outage: build ## The same, with one region's stores down for a while: held for that region alone, then delivered
	@go build -o $(BIN)/kof-demo ./test/demo
	@$(BIN)/kof-demo -agent $(BIN)/kof-otelcol -check -outage

##@ Kubernetes

.PHONY: kube-up
kube-up: ## A real Kubernetes of one node in namespaces of its own (root; a long build the first time); `go run ./test/cmd/kube` drives it
	@go run ./test/cmd/kube up

.PHONY: kube-down
kube-down: ## End it and remove all of it
	@go run ./test/cmd/kube down

.PHONY: e2e-kubernetes
e2e-kubernetes: build tools ## The chart on that Kubernetes, with the stores of two regions outside: nothing lost, all enriched; then the stores in pods, too (root)
	@KOF_REQUIRE_KUBERNETES=1 go test -count=1 -timeout 30m -v -parallel 6 ./test/kube ./test/e2ekube

.PHONY: e2e-logs
e2e-logs: build tools ## There, a pod that writes 20,000 lines a second for two minutes while the agent is killed three times (FOR=2m)
	@KOF_REQUIRE_KUBERNETES=1 KOF_E2E_LOG_RATE=$(or $(FOR),2m) go test -count=1 -timeout 30m -v -run TestLogRate ./test/e2ekube

.PHONY: scale-kubernetes
scale-kubernetes: build tools ## An agent in clusters of 20 and of 2,000 nodes with 20,000 pods: its memory and its requests are the same (NODES=2000)
	@KOF_SCALE_NODES=$(or $(NODES),2000) go test -count=1 -timeout 30m -v -run TestIndependentOfClusterSize ./test/scalekube

##@ Build

.PHONY: build
build: ## bin/kof-otelcol: static, stripped, with version and commit
	@hack/go-progress.sh build -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN)/kof-otelcol ./cmd/kof-otelcol

.PHONY: build-operator
build-operator: ## bin/kof-operator: static, stripped
	@hack/go-progress.sh build -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN)/kof-operator ./cmd/kof-operator

.PHONY: build-kofctl
build-kofctl: ## bin/kofctl: static, stripped
	@hack/go-progress.sh build -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN)/kofctl ./cmd/kofctl

.PHONY: generate
generate: ## builder-config.yaml to the sources of kof-otelcol and the requirements of go.mod; the CRDs and roles of kof-operator; dashboards; the roles and values of charts; the index of runbooks
	@go run ./hack/generate
	@go run ./hack/operator
	@go run ./hack/dashboards
	@go run ./hack/charts
	@go run ./hack/runbooks

.PHONY: tools
tools: ## Build the backends that tests and the demo start into the user's cache folder (once per version)
	@$(TOOLS)

.PHONY: clean
clean: ## Remove what was built here; caches stay
	@rm -rf $(BIN)

##@ Check

.PHONY: test
test: build tools ## Unit tests, and end-to-end tests on real backends
	@go test -timeout $(TEST_TIMEOUT) ./...
	@$(MAKE) dashboards-check

.PHONY: test-race
test-race: ## The packages with goroutines of their own, under the race detector (needs a C compiler)
	@CGO_ENABLED=1 hack/go-progress.sh build -race $(RACE_PACKAGES)
	@CGO_ENABLED=1 go test -race -short -timeout $(TEST_TIMEOUT) $(RACE_PACKAGES)

.PHONY: test-residency
test-residency: ## Ten million records through the region exporter while directories change and endpoints fail; none may leave its zone
	@KOF_RESIDENCY_RECORDS=$(or $(RECORDS),1e7) go test -count=1 -timeout 120m -run TestResidency -v ./components/exporter/regionexporter

.PHONY: test-residency-long
test-residency-long: ## The same with a hundred million
	@$(MAKE) test-residency RECORDS=1e8

.PHONY: chaos
chaos: build ## Kills, faults, full disks, damage and reloads on real backends: what was acknowledged is delivered or counted (SHORT=1: 5 minutes)
	@go run ./test/chaos -storage queue_storage $(if $(SHORT),-short) $(if $(STOCK),-stock) $(if $(CELLS),-cells '$(CELLS)')

.PHONY: chaos-logs
chaos-logs: build ## Container logs under rotation, kills and an outage of the store: no line lost (SHORT=1: a minute)
	@go run ./test/chaoslogs $(if $(SHORT),-short)

.PHONY: load
load: build ## What the agent and its exporter cost, beside stock components: agent, wire, logs, routing, bulkhead, memory, drain (one: NAME=wire; SHORT=1: a minute or two each)
	@for name in $(or $(NAME),agent wire logs routing bulkhead memory drain); do \
		go run ./test/load $$name $(if $(SHORT),-short) $(if $(STRICT),-strict); \
	done

.PHONY: dashboards-check
dashboards-check: build tools ## Every query of dashboards and rules returns data from real stores, fed by agents on that Kubernetes (where it can't run, queries are parsed alone)
	@KOF_REQUIRE_KUBERNETES=$${KOF_REQUIRE_KUBERNETES:-try} go test -count=1 -timeout 20m -v -run 'TestNoPanelIsEmpty|TestEngines' ./test/dashboards

.PHONY: rules-check
rules-check: ## Alerts and recording rules as Helm renders them, by the real promtool: each fires, is silent, and has its page
	@go test -count=1 ./test/rules ./hack/runbooks ./internal/operator/budget ./internal/operator/rules

.PHONY: opencost-diff
opencost-diff: ## The opencost receiver against the real OpenCost, live (root, for a network namespace; a long build the first time)
	@KOF_OPENCOST_LIVE=1 go test -count=1 -timeout 60m -run TestDifferential -v ./test/opencostdiff

.PHONY: bench
bench: ## Benchmarks
	@go test -run '^$$' -bench . -benchmem ./components/... ./internal/...

.PHONY: lint
lint: ## Format, licence lines, go vet, staticcheck, go.mod and go.sum
	@hack/lint.sh

.PHONY: generate-check
generate-check: ## Fail when `make generate` would change something; changes nothing itself
	@go run ./hack/generate -check
	@go run ./hack/operator -check
	@go run ./hack/dashboards -check
	@go run ./hack/charts -check
	@go run ./hack/runbooks -check

.PHONY: ci
ci: ## All that a change has to pass, as on a bare machine
	@.ci/run

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
