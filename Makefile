# Groundbreak's handles. `make help` lists them.

PYTHON ?= python3
SITE   ?= configs/boukamal.yaml
OUT    ?= out
ARGS   ?=

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
LOWEST := .venv-lowest

.DEFAULT_GOAL := help
.PHONY: help setup run monitor test test-lowest fuzz docs format lock licences samples bench web clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

docs: $(STAMP)  ## Build the documentation into out/docs, its commands and notebooks run
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

test-lowest: $(STAMP)  ## Run the tests with the lowest versions that pyproject.toml allows, in .venv-lowest
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip compile pyproject.toml --extra dev --resolution lowest-direct --python-version 3.11 \
	  --no-emit-index-url --no-header --quiet --output-file $(LOWEST)/requirements.txt
	$(BIN)/uv pip sync --quiet --python $(LOWEST)/bin/python $(LOWEST)/requirements.txt
	NUMBA_CACHE_DIR=$(abspath $(LOWEST))/numba $(LOWEST)/bin/python -m pytest -n auto --dist worksteal $(ARGS)

fuzz: $(STAMP)  ## Read ten thousand spoilt inputs of each kind, or: make fuzz ARGS="tiff --inputs 500"
	$(BIN)/python tests/fuzz/run.py $(ARGS)

licences: $(STAMP)  ## List the licences of all that ships, and the bill of materials of the wheel
	$(BIN)/python -m supply

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
	rm -rf $(OUT) $(VENV) $(LOWEST) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
