# Every target makes .venv from requirements.lock by itself; only python3 and make are needed.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
DEMO := demo
# Byte code is written at first import, whatever the shell says: compiling all that is installed
# takes a minute, and a start without byte code takes seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-slow dev check bench lock docs screenshots clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(INSTALLED): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" ./.ci/install
	@touch $@

demo: $(INSTALLED)  ## run the whole chain on a simulated marketplace, then say where to look
	@$(BIN)/conversion-platform demo --folder $(DEMO)

dev: $(INSTALLED)  ## open Dagster's pages on the demo's instance
	@[ -d $(DEMO)/lake/daily_metrics ] || { echo "There is no finished demo: run 'make demo' first." >&2; exit 1; }
	@DAGSTER_HOME=$(CURDIR)/$(DEMO)/dagster_home $(BIN)/conversion-platform --config $(DEMO)/conversion_platform.toml dev

test: $(INSTALLED)  ## the tests, without those of `make test-slow`
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow"

test-slow: $(INSTALLED)  ## the tests that `make test` leaves out: soaks, and most cases of tests with many
	@$(BIN)/python -m pytest -q -n 3 --dist load -m slow

check: $(INSTALLED)  ## style, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(INSTALLED)  ## every benchmark at its quick size
	@for file in benchmarks/[a-z]*.py; do \
		[ $$file = benchmarks/harness.py ] || { echo "== $$file"; $(BIN)/python $$file --quick || exit 1; }; done

lock: $(INSTALLED)  ## resolve requirements.lock again from pyproject.toml
	@$(BIN)/python -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--extra complete-journey --group dev --no-header --no-annotate --upgrade -q -o requirements.lock

docs: $(INSTALLED)  ## write the generated blocks of docs/ from the code
	@$(BIN)/python docs/generate.py

screenshots: $(INSTALLED)  ## take docs/images again (needs Debian's chromium and a filled demo)
	@$(BIN)/python docs/screenshots.py --folder $(DEMO)

clean:  ## remove the environment and what the demo wrote
	rm -rf .venv $(DEMO) $(DEMO).before
