PYTHON ?= python3
PY := .venv/bin/python

.PHONY: install demo local test bench schema clean

install:
	@$(PYTHON) tests/platform/install.py

demo: install
	@$(PY) -m tests.demo

local: install
	@$(PY) -m tests.platform.local

test: install
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m pytest

bench: install
	@$(PY) -m tests.bench

clean:
	rm -rf .venv tests/node_modules demo-output check-output local

schema: install
	@$(PY) -c "import json; from shared.run.record import RunRecord; print(json.dumps(RunRecord.model_json_schema(by_alias=True, mode='serialization'), indent=2))" > docs/run.schema.json
	@$(PY) -m shared feed schema > docs/feed.schema.json
