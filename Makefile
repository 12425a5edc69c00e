# make app: set up and serve the app; with SHARE=1, a class in the local network can open it.
# make test: set up and run the checks that CI runs.
# make test-all: with every model, size and theme, and under load (an hour).
# make benchmark: measure the speed beside other tools (minutes).
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

.PHONY: app test test-all check benchmark clean

app: .venv/app.installed
	$(BIN)/python -m effnet_viz.cli serve --server.port $(PORT) $(if $(SHARE),--share)

# Two processes; a file stays in one, and so do the models and the server that it starts.
test: check
	$(BIN)/pytest -n 2 --dist loadfile

test-all: check
	$(BIN)/pytest -n 2 --dist loadfile -m ""
	$(BIN)/python -m tools.load

check: .venv/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

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
