# Two commands need nothing but Python 3.11 or newer and the package indexes:
#   make demo   everything needed, a demo company, the site on http://localhost:8000 (PORT=… changes the port)
#   make test   everything needed, all checks; ends with "N passed, N failed, N skipped"
PORT ?= 8000
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3 python,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(name))))
BIN := .venv/bin
# Errors, not warnings: what a machine's own indexes lack is nobody's worry here.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

ASSETS := $(wildcard package.json package-lock.json tools/build_assets.py) $(shell find hufu/web/assets -type f 2>/dev/null)
TRANSLATIONS := $(shell find hufu/locale -name '*.po' 2>/dev/null)
ASSETS_STAMP := hufu/web/static/build/.stamp
NODE_STAMP := node_modules/.stamp
TRANSLATIONS_STAMP := .venv/.translations

.PHONY: demo test prove mutate screenshots wheel check-wheel setup locks format clean

demo: setup
	@$(BIN)/hufu demo --port $(PORT)

test: setup
	@$(BIN)/python tools/check.py

# Both halves of the decision against the slow reference, on 500 new organisations (takes minutes).
prove: setup
	@$(BIN)/python tools/prove.py

# Rules of both halves broken on purpose, one at a time: each must be noticed (takes minutes).
mutate: setup
	@$(BIN)/python tools/mutate.py

# Pictures of the pages of a running demo (make demo), in both languages and themes, desktop and phone.
screenshots: setup
	@$(BIN)/python tools/screenshots.py --url http://localhost:$(PORT) --out var/screenshots

# The package that people install, in dist/, with its assets and translations built first.
wheel: setup
	@$(BIN)/python tools/build_wheel.py

# Installs the package into an empty environment, runs its demo and looks at the site. Takes the libraries from the index.
check-wheel: wheel
	@$(BIN)/python tools/check_wheel.py

# The environment, the assets and the translations: everything that a fresh clone lacks.
setup: .venv/.installed $(if $(wildcard tools/build_assets.py),$(ASSETS_STAMP)) $(if $(wildcard tools/translations.py),$(TRANSLATIONS_STAMP))

.venv/.dependencies: requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "Hufu CRM needs Python 3.11 or newer and none was found. Install it, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: its modules venv and ensurepip are missing. Install them (Debian and Ubuntu: apt-get install python3-venv) and run make again." >&2; exit 1; }
	@echo "Installing the libraries into .venv …"
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.installed: pyproject.toml setup.py requirements/runtime.in .venv/.dependencies
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(NODE_STAMP): package.json package-lock.json .venv/.dependencies
	@echo "Installing the browser libraries into node_modules …"
	@$(BIN)/npm ci --ignore-scripts --no-update-notifier --no-audit --no-fund --loglevel=error
	@touch $@

$(ASSETS_STAMP): $(ASSETS) $(NODE_STAMP) .venv/.installed
	@$(BIN)/python tools/build_assets.py
	@touch $@

$(TRANSLATIONS_STAMP): $(TRANSLATIONS) tools/translations.py .venv/.installed
	@$(BIN)/python tools/translations.py compile
	@touch $@

# For maintainers: pin every library again. Needs `uv`.
locks:
	@for name in runtime dev; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

format: .venv/.installed
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

# Keeps var/, where the data is.
clean:
	@rm -rf "$$(readlink -f .pytest-postgres)" .pytest-postgres .venv node_modules hufu/web/static/build build dist *.egg-info
