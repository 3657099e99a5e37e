PYTHON ?= python3
PY := .venv/bin/python

.PHONY: install demo test bench clean

install:
	@$(PYTHON) tests/platform/install.py

demo: install
	@$(PY) -m tests.demo

test: install
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m pytest

bench: install
	@$(PY) -m tests.bench

clean:
	rm -rf .venv tests/node_modules demo-output
