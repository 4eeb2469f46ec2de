# What a person does with this checkout. Each target sets up what it needs; `make` alone lists them.
# Everything that is made lands in .venv and .local; `make clean` removes both.

PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 10000
# Tests in parallel: one process per core, tests of one file together.
PARALLEL := -n auto --dist loadfile

# Of these folders, those that hold a test: pytest takes an empty one for a fault.
with_tests = $(strip $(foreach folder,$(1),$(if $(shell find $(folder) -name 'test_*.py' -print -quit 2>/dev/null),$(folder))))
UNIT = $(call with_tests,tests/architecture tests/unit)
PARTS = $(call with_tests,tests/contract tests/integration tests/simulation)
# These need a whole stack; two stacks at a time are what a small machine can carry.
WHOLE = $(call with_tests,tests/acceptance)
# Promises about thousands of messages, tried on fewer by `make check`.
LARGE = $(foreach name,rings many_gaps poisoned_heads rebuilding,tests/unit/flows/test_$(name).py)

.DEFAULT_GOAL := help
.PHONY: help run up down test check bench conformance simulate acceptance format lint types architecture approve clean \
        set-up set-up-python set-up-clients static

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: set-up ## Start the local stack, feed it sample traffic, show what happened (ONCE=1: then stop)
	@$(BIN)/python -m local.stack run $(if $(filter-out 0,$(ONCE)),--once)

up: set-up ## Start the local stack in the background; returns when everything answers
	@$(BIN)/python -m local.stack up --detach

down: set-up-python ## Stop the local stack
	@$(BIN)/python -m local.stack down

check: set-up-python static ## The inner loop: format, lint, types, architecture and unit tests
	@$(BIN)/pytest $(PARALLEL) $(UNIT)

test: set-up-clients static ## Everything: check, contract, integration, simulation and acceptance tests
	@$(BIN)/pytest $(PARALLEL) $(UNIT) $(PARTS)
	@$(if $(WHOLE),$(BIN)/pytest -n 2 --dist loadfile $(WHOLE))

acceptance: set-up ## Whole journeys at full size, on the whole local stack
	@TANDEM_FULL_SIZE=1 $(BIN)/pytest tests/acceptance $(LARGE)

conformance: set-up-clients ## The suites of real third-party clients against the simulators
	@$(BIN)/python -m tests.conformance

simulate: set-up-python ## The seeded simulation of the whole sync (SEEDS=n; SHARED=1: with a second system; PLANS=1: with replay plans; go on from TANDEM_SEEDS_FROM=n)
	@TANDEM_SEEDS_FROM=$(or $(TANDEM_SEEDS_FROM),0) $(BIN)/python -m tests.simulation --seeds $(SEEDS) $(if $(SHARED),--shared) $(if $(PLANS),--plans)

bench: set-up ## The benchmarks; the numbers go to .local/bench.json
	@$(BIN)/python -m tests.bench

static: set-up-python
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: set-up-python ## Rewrite the code in the one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: set-up-python ## Format and lint rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: set-up-python ## Type check
	@$(BIN)/mypy

architecture: set-up-python ## Who may import whom, and the shape of the repository
	@$(BIN)/lint-imports
	@$(BIN)/pytest tests/architecture

approve: set-up-python ## Write the approved texts of the public surfaces anew, to be read in the diff
	@TANDEM_APPROVE=1 $(BIN)/pytest -q tests/architecture/test_approved_surfaces.py

clean: ## Stop the stack and remove everything that was made
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local.stack down || true; fi
	@rm -rf .venv .local *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

set-up:
	@$(PYTHON) local/setup.py

set-up-python:
	@$(PYTHON) local/setup.py python

# The tests' own clients on top; nothing that runs the stack waits for them.
set-up-clients:
	@$(PYTHON) local/setup.py python node clients
