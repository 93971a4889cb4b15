# Groundbreak's handles. `make help` lists them.

PYTHON ?= python3
SITE   ?= configs/boukamal.yaml
OUT    ?= out
ARGS   ?=

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run monitor test docs format lock samples bench web clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## Make .venv with the pinned dependencies and the groundbreak command

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "groundbreak needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "installing the pinned dependencies into $(VENV); this takes some minutes"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(STAMP)  ## Analyse one site: make run [SITE=configs/boukamal.yaml] [OUT=out]
	$(BIN)/groundbreak run $(SITE) --out $(OUT) $(ARGS)

monitor: $(STAMP)  ## Analyse every site of configs/, all dates
	$(BIN)/groundbreak monitor configs --out $(OUT) $(ARGS)

test: $(STAMP)  ## Check format, lint and types, and run the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest $(ARGS)

docs: $(STAMP)  ## Build the documentation into out/docs, its commands and notebooks run
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

format: $(STAMP)  ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP)  ## Pin the newest allowed dependencies in requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --upgrade --quiet --output-file requirements.lock

web:  ## Check and bundle the script of the pages (needs node); the bundle is committed
	cd web && npm ci && npm run check && npm run build

samples: $(STAMP)  ## Make the sample tiles again, byte for byte
	$(BIN)/python -m pipeline.simulate.samples --out sample_tiles

bench: $(STAMP)  ## Measure accuracy and speed (uses ../shared where it is there)
	$(BIN)/python -m benchmarks $(ARGS)

clean:  ## Remove results, caches and the virtual environment
	rm -rf $(OUT) $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
