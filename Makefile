# make app: set up and serve the app.   make test: set up and run every check.
# make benchmark: measure the speed beside other tools (minutes).
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

.PHONY: app test check benchmark clean

app: .venv/app.installed
	$(BIN)/python -m effnet_viz.cli serve --server.port $(PORT)

test: check
	$(BIN)/pytest

check: .venv/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: .venv/dev.installed
	$(BIN)/python -m tools.benchmarks

clean:
	rm -rf .venv

.venv/app.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "effnet-viz needs Python 3.11 or later: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/dev.installed: requirements-dev.txt .venv/app.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
