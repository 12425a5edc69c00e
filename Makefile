# make app: set up and serve the app; with SHARE=1, a class in the local network can open it.
# make test: set up and run the checks that CI runs.
# make test-all: with every model, size and theme, and under load (an hour).
# make benchmark: measure the speed beside other tools (minutes).
# make constraints: pin the newest packages that requirements*.txt allow, all that they need too.
# make audit: look for known weaknesses of what is pinned (on the internet) and at all licences.
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: app test test-all check benchmark constraints audit clean

app: .venv/app.converted
	$(BIN)/python -m effnet_viz.cli serve --server.port $(PORT) $(if $(SHARE),--share)

# Two processes; tests/conftest.py says what stays together in one.
test: check
	$(BIN)/pytest -n 2 --dist loadscope

test-all: check
	$(BIN)/pytest -n 2 --dist loadscope -m ""
	$(BIN)/python -m tools.load
	$(BIN)/python -m tools.hostile
	$(BIN)/python -m tools.fuzz

check: .venv/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

benchmark: .venv/dev.installed
	$(BIN)/python -m tools.benchmarks

# For every system and Python at once. No hashes: with them in a constraints file, the pip that
# Python 3.11 brings refuses every line of requirements.txt for having none.
constraints: .venv/dev.installed
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --upgrade \
		--custom-compile-command "make constraints" --output-file constraints.txt requirements-dev.txt

audit: .venv/dev.installed
	$(BIN)/python -m tools.audit

clean:
	rm -rf .venv

.venv/app.installed: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "effnet-viz needs Python 3.11 or later: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.txt
	touch $@

# So that the first visitor does not wait for it; without room for it the app converts by itself.
.venv/app.converted: .venv/app.installed
	-$(BIN)/python -m effnet_viz.cli convert
	touch $@

.venv/dev.installed: requirements-dev.txt .venv/app.installed
	$(INSTALL) -r requirements-dev.txt
	touch $@
