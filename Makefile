# One command per job. `make demo` and `make test` need nothing but Python 3.11+ and the package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Members and entrants of `make bench`, such as SIZES="1e5 1e6 1e7"; BENCH has its switches, such as "--only sync".
SIZES ?= 1e5 1e6
BENCH ?=

.PHONY: demo test lint bench calibrate soak clean

demo: $(VENV)/.run
	@$(BIN)/holdouts demo

test: $(VENV)/.test lint
	$(BIN)/pytest -n 2 --dist loadfile -q

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks $(SIZES) $(BENCH)

calibrate: $(VENV)/.test
	$(BIN)/python -m benchmarks.calibrate

soak: $(VENV)/.test
	$(BIN)/pytest -n 2 -q -m soak

clean:
	rm -rf $(VENV) demo report build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV); this takes about a minute."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV); this takes about a minute."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/.run
