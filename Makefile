# Every target makes its own environment: a fresh clone needs nothing but Python 3.11 or later and make.
#   make quickstart PYTHON=python3.12 VENV=/some/folder

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Those that need no data; the others say in their docstrings what they need.
BENCHMARKS := reuse memory_accounting load_generator repeatability finals_rank early_stopping stage_stopping failing_region start_time
PIP := $(BIN)/python -m pip --disable-pip-version-check -q -q install -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help quickstart test lint check bench notebooks clean

help:  ## Show the targets
	@grep -E '^[a-z]+:.*##' Makefile | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

quickstart: $(VENV)/.user  ## Search the deployments of a model of a synthetic shop; a few minutes
	$(BIN)/python studies/quickstart.py

test: $(VENV)/.dev  ## Run the tests and the examples of the docstrings
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## Check format, style, types and the floors of the imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint test  ## Everything that a change must pass

bench: $(VENV)/.dev  ## Measure paretoopt itself, with what needs no data
	set -e; for name in $(BENCHMARKS); do $(BIN)/python studies/benchmarks/$$name.py; done

notebooks: $(VENV)/.dev  ## Run the notebooks, and keep what they show; plots become pictures with the help of chromium
	$(BIN)/python notebooks/execute.py

clean:  ## Remove the environment and everything that tools left behind; studies and stores stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is as old as the installation; pip runs again when what is to be installed changed.
$(VENV)/.user: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing paretoopt into $(VENV) (the first time takes minutes, mostly for torch) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing paretoopt and the tools of its developers into $(VENV) ..."
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.user

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "paretoopt needs Python 3.11 or later, but $(PYTHON) is older: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@
