# Everything a newcomer needs: `make demo` and `make test` set up what they use.
# Only git, make and Python 3.11+ are expected; uv is fetched into .tools/ when it is missing.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && { command -v $$p; break; }; done)
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)
BIN := .venv/bin
ifneq ($(wildcard ../shared/data),)
export BOXSCORE_DATA ?= $(abspath ../shared/data)
endif

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.tools/uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Boxscore needs Python 3.11, 3.12 or 3.13 on the PATH, or PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools/uv uv \
	  || { $(PYTHON) -m venv .tools/uv-venv && .tools/uv-venv/bin/pip install --quiet uv && mkdir -p .tools/uv/bin \
	       && ln -sf ../../uv-venv/bin/uv .tools/uv/bin/uv; }

.venv/.ready: pyproject.toml uv.lock | $(UV)
	@test -n "$(PYTHON)" || { echo "Boxscore needs Python 3.11, 3.12 or 3.13 on the PATH, or PYTHON=/path/to/python"; exit 1; }
	UV_PYTHON_DOWNLOADS=never $(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $@

.PHONY: setup
setup: .venv/.ready web ## make the environment in .venv, and the web page

.PHONY: web
web: .venv/.ready ## build the web page, where something of it changed
	$(BIN)/python tools/build_web.py --unless-offline

.PHONY: demo
demo: setup ## the main job: a verdict from live generation, then the server with all of it
	$(BIN)/boxscore demo $(ARGS)

.PHONY: test
test: setup ## all tests
	$(BIN)/pytest -n 2 --dist worksteal -q

.PHONY: format
format: setup ## rewrite code in the project's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: check
check: setup ## format, lint, types, imports, unit tests, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist worksteal -q tests/unit
	$(BIN)/python tools/build_web.py --check --unless-offline
	$(BIN)/python tools/build_web.py --test --unless-offline
	$(BIN)/python tools/generate_docs.py --check

.PHONY: docs
docs: setup ## build the documentation site into site/
	$(BIN)/python tools/generate_docs.py
	$(BIN)/mkdocs build --strict

.PHONY: bench-verdict
bench-verdict: setup ## planted effects: false-ship, false-hold and coverage of every rule
	$(BIN)/python benchmarks/verdict.py

.PHONY: faults
faults: setup ## kills, power losses, failing disks and clocks: the campaign of docs/reliability.md
	$(BIN)/python tools/faults.py --report
	BOXSCORE_FAULT_RUNS=20 $(BIN)/pytest -q tests/integration/test_sdk_faults.py tests/integration/test_sdk_post.py
	BOXSCORE_FAULT_RUNS=all $(BIN)/pytest -q tests/integration/test_jobs_kill.py

.PHONY: clean
clean: ## remove the environment and build products
	rm -rf .venv .tools site dist .pytest_cache .ruff_cache web/node_modules web/built src/boxscore/server/page
