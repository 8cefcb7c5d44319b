# Every task of this repository. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CLUSTER ?= acme
ENGINE ?= auto
export CLUSTER ENGINE

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/acme
UV := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
# The newest Python that everything is tested with comes first; uv looks for itself where none is found.
PYTHON ?= $(firstword $(foreach name,\
	python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python) python3.12 python3 \
	$(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python),\
	$(shell $(name) -c 'import sys; sys.version_info < (3, 12) and sys.exit(1); print(sys.executable)' 2>/dev/null)))
VENV := .venv/bin
SYNCED := .venv/.synced
LOCAL := PYTHONPATH=config/local $(VENV)/python -m acme_local
SOURCES := operator:services:services/gen:config/local:.

.PHONY: help
help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{gsub(/\$$\$$/, "$$", $$2); printf "  make %-11s %s\n", $$1, $$2}'
	@echo
	@echo "CLUSTER=name works on another local cluster beside the default one; ENGINE=node|kind chooses how it is made."

$(UV):
	python3 -m venv $(CACHE)/uv && $(CACHE)/uv/bin/pip install --quiet "uv>=0.9,<1" \
	  || { echo "error: uv could not be installed; install it (https://docs.astral.sh/uv) and try again" >&2; exit 1; }

$(SYNCED): pyproject.toml uv.lock | $(UV)
	@$(if $(PYTHON),UV_PYTHON=$(PYTHON)) $(UV) sync --quiet --frozen --all-extras
	@touch $@

.PHONY: up
up: $(SYNCED) ## have a local cluster with the operator and a sample platform on it; again heals it
	@$(LOCAL) up

.PHONY: down
down: $(SYNCED) ## take the local cluster away and leave nothing
	@$(LOCAL) down

.PHONY: status
status: $(SYNCED) ## say how every process and part of the local cluster is
	@$(LOCAL) status

.PHONY: env
env: $(SYNCED) ## print the shell settings for the cluster: eval "$$(make -s env)"
	@$(LOCAL) env

.PHONY: logs
logs: $(SYNCED) ## show the end of each log of the local cluster, and where they are
	@$(LOCAL) logs

.PHONY: images
images: $(SYNCED) ## compile and build everything that `make up` runs, and start nothing
	@$(LOCAL) images

.PHONY: prune
prune: $(SYNCED) ## remove compiled programs and image layers that no current pin needs from the cache
	@$(LOCAL) prune

.PHONY: test
test: $(SYNCED) ## prove everything: lint and all tests, with a cluster of their own
	@bad=0; \
	$(MAKE) lint || bad=1; \
	$(LOCAL) packages || true; \
	$(VENV)/pytest || bad=1; \
	exit $$bad

.PHONY: test-fast
test-fast: $(SYNCED) ## the tests that need no cluster and no server: under a minute
	@$(VENV)/pytest tests/unit tests/golden tests/property tests/architecture

.PHONY: lint
lint: $(SYNCED) ## style, types, and who may import whom
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check --quiet . || { echo "error: some files are not formatted; run make fmt" >&2; exit 1; }
	@$(VENV)/mypy
	@PYTHONPATH=$(SOURCES) $(VENV)/lint-imports

.PHONY: fmt
fmt: $(SYNCED) ## format the code and repair what lint can repair by itself
	@$(VENV)/ruff check --fix --exit-zero .
	@$(VENV)/ruff format .

.PHONY: gen
gen: $(SYNCED) ## make again what is generated: CRDs, gRPC stubs, plain manifests, golden files
	@PYTHONPATH=operator $(VENV)/python -m acme_operator.api.crd crds
	@PYTHONPATH=operator:services $(VENV)/python services/generate.py
	@$(VENV)/python charts/chart_files.py
	@PYTHONPATH=$(SOURCES) $(VENV)/python -m tests.golden.cases

.PHONY: bench
bench: $(SYNCED) ## measure the operator against the bare floor; results are kept in dist/bench
	@PYTHONPATH=$(SOURCES) $(VENV)/python -m tests.bench

.PHONY: clean
clean: ## remove what the tools leave in this folder; clusters and caches stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
