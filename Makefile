# A fresh machine needs make, Python 3.11 or later with venv, and a package index that pip can reach. Each target makes
# .venv by itself.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14 python3.15; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
ALL_CORES := -n auto --dist worksteal
# Without bytecode, pytest would rewrite the asserts of its plugins and of all tests anew in each worker.
unexport PYTHONDONTWRITEBYTECODE
CASES := $(BIN)/python -m pytest benchmarks/cases.py --benchmark-disable-gc --benchmark-group-by=func
SCHEMA := $(BIN)/check-jsonschema --quiet --builtin-schema
STORED := --benchmark-storage=build/bench/cases --benchmark-columns=min,median,max,ops

VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' mihu_async/_version.py)
SOURCE := $(shell find . -type d \( -name '.?*' -o -name __pycache__ -o -name build -o -name dist \) -prune -o -type f -not -name '.*' -print) \
	$(wildcard .ci/* .github/*.yml .github/*/*.yml .pre-commit-config.yaml)

# A new environment in that folder, for the pip of .venv to install into.
define fresh
	rm -rf $(1)
	$(PYTHON) -m venv --without-pip $(1)
endef
into = $(PIP) --python $(1)/bin/python install

.PHONY: demo test test-slow test-all check format lint workflows types contracts coverage wheel-types cases docs docs-serve clean
.PHONY: dist dist-test test-browser test-wheel test-lowest test-newest test-pythons sbom notes release-check release-ready
.PHONY: bench bench-readme bench-baseline bench-compare

demo: .venv/.demo
	$(BIN)/mihu-async demo

# All but what is marked as slow.
test: .venv/.test
	$(BIN)/python -m pytest $(ALL_CORES) -m "not slow"

test-slow: .venv/.test
	PYTHONDEVMODE=1 $(BIN)/python -m pytest $(ALL_CORES) -m slow

test-all: .venv/.test
	$(BIN)/python -m pytest $(ALL_CORES)

check: lint workflows types contracts coverage test-slow wheel-types dist-test cases docs

format: .venv/.check
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lint: .venv/.check
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# What runs elsewhere: workflows, and what opens issues and pull requests. Nothing is asked of the network.
workflows: .venv/.check
	$(BIN)/zizmor --offline --quiet --persona=auditor .github
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	$(SCHEMA) custom.github-workflows-require-timeout .github/workflows/*.yml
	$(SCHEMA) vendor.dependabot .github/dependabot.yml
	$(SCHEMA) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA) vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))

types: .venv/.check
	$(BIN)/mypy
	$(BIN)/pyright

contracts: .venv/.check
	$(BIN)/lint-imports

# Every branch, by the tests that are not slow: the tracer more than doubles what a test takes, and the slow ones reach
# nothing new. Run under coverage, not pytest-cov: the package's own pytest plugin is loaded before pytest-cov could start.
coverage: .venv/.check
	$(BIN)/coverage erase
	PYTHONDEVMODE=1 $(BIN)/coverage run -m pytest $(ALL_CORES) -m "not slow"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# On the built wheel, as users get it: an editable install hides the package from pyright.
wheel-types: build/types/.installed
	cd build/types && PATH="$$PWD/bin:$$PATH" ../../$(BIN)/pyright --verifytypes mihu_async --ignoreexternal

# The source distribution, and the wheel that is built from it.
dist: dist/.built

# What they hold, and the wheel in a fresh environment far from the source.
dist-test: dist/.built
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	$(BIN)/python -m pytest tests/built.py

# The sandbox's page in a real browser: Playwright, with the Chromium or Chrome of this machine.
test-browser: .venv/.browser
	$(BIN)/python -m pytest tests/sandbox/admin/test_browser.py

# All tests of the source distribution, with its package removed, against the wheel.
test-wheel: build/wheel/.installed
	cd build/wheel/source && ../bin/python -m pytest $(ALL_CORES)

# All tests with each dependency, of the package and of the tests, in the lowest version that pyproject.toml allows.
test-lowest: build/lowest/.installed
	build/lowest/bin/python -m pytest $(ALL_CORES)

# All tests with each dependency in the newest version that there is now.
test-newest: .venv/.made
	$(call fresh,build/newest)
	$(call into,build/newest) --editable '.[cli,otel,redis]' --group test --group examples
	build/newest/bin/python -m pytest $(ALL_CORES)

# The same on each supported Python that this machine has, and the first example of README without a warning.
test-pythons: build/wheel/.installed
	$(BIN)/python -m tests.pythons

# What is installed with the wheel, without extras, as a CycloneDX bill of materials.
sbom: dist/.built
	$(call fresh,build/sbom)
	$(call into,build/sbom) dist/*.whl
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml >build/sbom/pyproject.toml
	$(BIN)/cyclonedx-py environment --pyproject build/sbom/pyproject.toml --mc-type library --output-reproducible \
		--output-file dist/sbom.cdx.json build/sbom

# The changes of this version, for whoever announces it.
notes: dist/.built
	awk '/^## / { on = 0 } on; /^## $(VERSION) / { on = 1 }' CHANGELOG.md >dist/notes.md

# All that must hold before a release.
release-check: release-ready check test-wheel test-lowest test-newest sbom notes

# The part of these checks that takes no time.
release-ready:
	@test -z "$$(git status --porcelain)" || { echo "Not everything is committed."; exit 1; }
	@grep -q '^## $(VERSION) ' CHANGELOG.md || { echo "CHANGELOG.md has no section for $(VERSION)."; exit 1; }
	@test -z "$$(git tag --list v$(VERSION))" || { echo "v$(VERSION) is tagged already."; exit 1; }

# The benchmarks of pure parts still run; what they take is not looked at.
cases: .venv/.check
	$(CASES) --benchmark-disable

# The site, in build/site, with the examples beside its pages, from where docs/ is one step further away, and the pages
# as Markdown, for readers that are programs. Fails on a broken link, an unknown name, and whatever a reader would have
# to fetch from elsewhere.
docs: .venv/.check
	$(BIN)/zensical build --clean --strict
	mkdir build/site/examples && cp examples/*.* build/site/examples/
	find build/site -name index.html -exec sed -i.before 's|"\.\./\.\./examples/|"../examples/|g' {} +
	find build/site -name '*.before' -delete
	rm -r build/site/extensions build/site/theme
	$(BIN)/python docs/extensions/llms.py build/site
	$(BIN)/python -m pytest -q tests/site.py

docs-serve: .venv/.check
	$(BIN)/zensical serve

# Installs the peers, each into an environment of its own below build/bench, measures some minutes, and prints the table.
bench: .venv/.bench
	$(BIN)/python -m benchmarks

# Writes the last run's table and pictures into README and docs, and measures first where there was none.
bench-readme: build/bench/results.json
	$(BIN)/python -m benchmarks.readme

build/bench/results.json: .venv/.bench
	$(BIN)/python -m benchmarks

# What the pure parts take now on this machine, for a later bench-compare to compare with.
bench-baseline: .venv/.bench
	$(CASES) $(STORED) --benchmark-save=baseline

# Fails where a part takes more than a quarter longer than the baseline did.
bench-compare: .venv/.bench
	@ls build/bench/cases/*/*_baseline.json >/dev/null 2>&1 || { echo "Nothing to compare with: make bench-baseline first"; exit 1; }
	$(CASES) $(STORED) --benchmark-compare --benchmark-compare-fail=median:25%

clean:
	rm -rf .venv build dist .cache .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
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
	$(PIP) install --editable '.[cli,otel,redis]' --group test --group examples
	touch $@

.venv/.browser: .venv/.test
	$(PIP) install --group browser
	touch $@

.venv/.check: .venv/.made pyproject.toml
	$(PIP) install --editable '.[cli,otel,redis]' --group test --group examples --group typing --group lint --group dist --group bench --group docs
	touch $@

.venv/.bench: .venv/.made pyproject.toml
	$(PIP) install --editable . --group test --group bench
	touch $@

dist/.built: .venv/.check $(SOURCE)
	rm -rf dist
	$(BIN)/python -m build
	touch $@

build/types/.installed: dist/.built
	$(call fresh,build/types)
	for wheel in dist/*.whl; do $(call into,build/types) "$$wheel[cli,otel,redis]" pytest; done
	touch $@

build/wheel/.installed: dist/.built
	$(call fresh,build/wheel)
	mkdir build/wheel/source
	tar --extract --strip-components=1 --directory=build/wheel/source --file dist/*.tar.gz
	for wheel in dist/*.whl; do $(call into,build/wheel) "$$wheel[cli,otel,redis]" --group test --group examples; done
	rm -r build/wheel/source/mihu_async build/wheel/source/mihu_async_pytest.py
	touch $@

# Each "name>=version" as "name==version".
build/lowest.txt: pyproject.toml
	mkdir -p build
	grep -oE '"[A-Za-z0-9-]+(\[[a-z,]+\])?>=[0-9.]+"' $< | sed -E 's/"//g; s/\[.*\]//; s/>=/==/' >$@

build/lowest/.installed: build/lowest.txt .venv/.made
	$(call fresh,build/lowest)
	$(call into,build/lowest) --constraint $< --build-constraint $< --editable '.[cli,otel,redis]' --group test --group examples
	touch $@
