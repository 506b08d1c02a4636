# Everything a fresh machine needs besides make: a Python from 3.11 on. Each target makes .venv by itself.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test check format lint types contracts coverage wheel-types bench clean

demo: .venv/.demo
	$(BIN)/mihu-async demo

test: .venv/.test
	$(BIN)/python -m pytest

check: lint types contracts coverage wheel-types

format: .venv/.check
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lint: .venv/.check
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.check
	$(BIN)/mypy
	$(BIN)/pyright

contracts: .venv/.check
	$(BIN)/lint-imports

# Run under coverage, not pytest-cov: the package's own pytest plugin is loaded before pytest-cov could start.
coverage: .venv/.check
	$(BIN)/coverage erase
	PYTHONDEVMODE=1 $(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# On the built wheel, as users get it: an editable install hides the package from pyright.
wheel-types: build/types/.installed
	cd build/types && PATH="$$PWD/bin:$$PATH" ../../$(BIN)/pyright --verifytypes mihu_async --ignoreexternal

bench: .venv/.bench
	$(BIN)/python -m benchmarks.walk
	$(BIN)/python -m benchmarks.prefetch
	$(BIN)/python -m benchmarks.fleet

clean:
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; name one with PYTHON=…"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install --upgrade pip
	touch $@

.venv/.demo: .venv/.made pyproject.toml
	$(PIP) install --editable '.[cli]'
	touch $@

.venv/.test: .venv/.made pyproject.toml
	$(PIP) install --editable '.[cli,otel]' --group test
	touch $@

.venv/.check: .venv/.made pyproject.toml
	$(PIP) install --editable '.[cli,otel]' --group test --group typing --group lint --group bench
	touch $@

.venv/.bench: .venv/.made pyproject.toml
	$(PIP) install --editable . --group bench
	touch $@

build/types/.installed: .venv/.check pyproject.toml $(shell find mihu_async -name '*.py')
	rm -rf build/types
	$(BIN)/python -m venv build/types
	$(PIP) wheel --no-deps --wheel-dir build/types/wheel .
	for wheel in build/types/wheel/*.whl; do \
		build/types/bin/python -m pip --quiet --disable-pip-version-check install "$$wheel[cli,otel]" pytest; done
	touch $@
