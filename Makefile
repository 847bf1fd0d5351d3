# One-word commands. Each does its own set-up: a virtual environment in .venv and the packages that the lock names.
# Needs Python 3.11 or newer and make. Another interpreter: make test PYTHON=/path/to/python3.12
.POSIX:
.SUFFIXES:
SHELL = /bin/sh

VENV = .venv
BIN = $(VENV)/bin
RUNTIME_LOCK = requirements.lock
DEVELOPMENT_LOCK = requirements-dev.lock
RUNTIME = $(VENV)/.runtime-ready
DEVELOPMENT = $(VENV)/.development-ready
PYTHON ?=
PYTEST_ARGS =
DEMO_ARGS =
SEEDS =
START =
SEED =
ONLY =
TRACE =
MINUTES =
PACE =
JOBS =
INTEROP_ARGS =
FUZZ_SECONDS = 120
FUZZ_ONLY =
MUTANTS_ARGS =
KILLS = 200
KILLS_SEED = 1

# Whatever the caller's shell says about other environments must not reach this one; the rest of pip's settings
# (proxies, certificates, mirrors) is the machine's business and stays.
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_REQUIRE_HASHES
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input

.PHONY: help demo test sim fuzz kills mutants promtool schema interop schemathesis check format lock bench deb deb-test systemd-test container-root clean

help:
	@echo "make demo     play a crash with a guarded and an unguarded account (about half a minute)"
	@echo "make test     run the tests                      PYTEST_ARGS='-k stops' passes words on to pytest"
	@echo "make sim      simulate the guard in random worlds    SEEDS=1000 START=7 plays these, SEED=7 TRACE=1 repeats one"
	@echo "make kills    kill the real daemon at every boundary of its commands, 200 times and more (minutes)"
	@echo "make mutants  break the guard on purpose, in one way after another: a test has to notice each"
	@echo "make promtool test the alert rules of deploy/prometheus (needs promtool, Debian package prometheus)"
	@echo "make fuzz     give every parser bytes at their worst    FUZZ_SECONDS=600 shares out more time, FUZZ_ONLY=NAME takes one"
	@echo "make schema   check the settings' schema and the profiles with the reference implementation (needs the network once)"
	@echo "make interop  try public BitMEX clients against the embedded exchange (installs them into a cache; needs the network)"
	@echo "make schemathesis  ask the control API what its OpenAPI document allows and what not (installs into a cache)"
	@echo "make check    formatting, lint, types, import contracts"
	@echo "make format   let ruff put the code into shape"
	@echo "make bench    run the benchmarks of tests/benchmarks"
	@echo "make deb      build a Debian package with everything inside      make deb-test tries it in a clean root (root, mmdebstrap)"
	@echo "make container-root   make a root and a Containerfile in dist/container (root, mmdebstrap)"
	@echo "make lock     renew the two lock files from pyproject.toml"
	@echo "make clean    remove .venv and everything that was built"

demo: $(RUNTIME)
	$(BIN)/seawall demo $(DEMO_ARGS)

test: $(DEVELOPMENT)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Random worlds from seeds: virtual time, the real core, shell, connector and exchange, and everything that can go wrong.
# Fresh seeds unless START names the first; SEED repeats one, ONLY some items of its agenda (see docs/simulation.md).
sim: $(DEVELOPMENT)
	@$(BIN)/python -m tests.simulation.sweep --seeds "$(SEEDS)" --start "$(START)" --seed "$(SEED)" --only "$(ONLY)" \
		--trace "$(TRACE)" --minutes "$(MINUTES)" --pace "$(PACE)" --jobs "$(JOBS)"

# `kill -9` of the real daemon at every boundary of its commands, then at random: minutes, so not a part of `make test`.
kills: $(DEVELOPMENT)
	KILLS="$(KILLS)" KILLS_SEED="$(KILLS_SEED)" \
		$(BIN)/python -m pytest -p no:randomly -q -s tests/integration/test_kill_anywhere.py $(PYTEST_ARGS)

# Every way in which the guard is broken on purpose has to be noticed by a test. MUTANTS_ARGS='--named' is the quick half.
mutants: $(DEVELOPMENT)
	$(BIN)/python -m tests.mutants.run $(MUTANTS_ARGS)

# Every alert rule in a story in which it fires and one in which it does not.
PROMTOOL = promtool
promtool:
	@command -v $(PROMTOOL) >/dev/null || { echo "promtool is not here (on Debian and Ubuntu: apt install prometheus)" >&2; exit 1; }
	$(PROMTOOL) check config deploy/prometheus/prometheus.example.yml
	$(PROMTOOL) check rules deploy/prometheus/seawall.rules.yml
	$(PROMTOOL) test rules deploy/prometheus/seawall.rules.test.yml

# Every parser under mutation, with coverage as guide: atheris in an environment of its own below ~/.cache/seawall-fuzz.
fuzz: $(RUNTIME)
	$(BIN)/python tests/fuzz/run.py --seconds "$(FUZZ_SECONDS)" --only "$(FUZZ_ONLY)"

# The settings' schema under the reference implementation, in an environment below ~/.cache/seawall-schema.
schema: $(RUNTIME)
	$(BIN)/python tests/reference_schema/run.py

# Clients written by others, each in an environment of its own below ~/.cache/seawall-interop (SEAWALL_INTEROP_CACHE).
interop: $(RUNTIME)
	$(BIN)/python tests/interop/run.py $(INTEROP_ARGS)

# The control API against its own OpenAPI document, by schemathesis in an environment of its own below
# ~/.cache/seawall-schemathesis (SEAWALL_SCHEMATHESIS_CACHE).
schemathesis: $(DEVELOPMENT)
	$(BIN)/python tests/schemathesis/run.py $(SCHEMATHESIS_ARGS)

check: $(DEVELOPMENT)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

format: $(DEVELOPMENT)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEVELOPMENT)
	@set -e; for script in tests/benchmarks/bench_*.py; do \
		if [ ! -e "$$script" ]; then echo "no benchmarks yet"; break; fi; \
		name=$$(basename "$$script" .py); echo "== $$name"; $(BIN)/python -m "tests.benchmarks.$$name"; \
	done

# The package carries its locked wheels; the clean root comes from this machine's own Debian mirror and is kept a week.
deb: $(DEVELOPMENT)
	@PYTHON=$(BIN)/python sh deploy/debian/build.sh

deb-test: $(DEVELOPMENT)
	@older=$$(PYTHON=$(BIN)/python VERSION='0~before' sh deploy/debian/build.sh) && newer=$$(PYTHON=$(BIN)/python sh deploy/debian/build.sh) && \
		sh deploy/debian/test.sh "$$older" "$$newer"

systemd-test: $(DEVELOPMENT)
	@package=$$(PYTHON=$(BIN)/python sh deploy/debian/build.sh) && sh deploy/debian/boot-test.sh "$$package"

container-root: $(DEVELOPMENT)
	@package=$$(PYTHON=$(BIN)/python sh deploy/debian/build.sh) && sh deploy/container/root.sh "$$package"

# The lock holds the hashes of every published file of a version, so one lock serves every platform; it names no index.
# Compiled with the oldest supported Python, so that packages which only that one needs are in it.
lock: $(DEVELOPMENT)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "make the lock with Python 3.11: make clean && make lock PYTHON=python3.11" >&2; exit 1; }
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_FLAGS) --build-deps-for=editable -o $(RUNTIME_LOCK) pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_FLAGS) --build-deps-for=editable --extra=dev --constraint=$(RUNTIME_LOCK) \
		-o $(DEVELOPMENT_LOCK) pyproject.toml

LOCK_FLAGS = --quiet --generate-hashes --strip-extras --allow-unsafe --resolver=backtracking \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --upgrade

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
		for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do \
			if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
				python=$$candidate; break; \
			fi; \
		done; \
	fi; \
	if [ -z "$$python" ]; then \
		echo "Seawall needs Python 3.11 or newer, and none was found; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "Seawall needs Python 3.11 or newer; $$python is not: $$("$$python" --version 2>&1 | head -n 1)" >&2; exit 1; \
	fi; \
	if ! "$$python" -m venv $(VENV); then \
		echo "$$python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv)" >&2; \
		rm -rf $(VENV); exit 1; \
	fi
	@touch $@

$(RUNTIME): $(VENV)/.made $(RUNTIME_LOCK) pyproject.toml
	$(PIP) install --quiet --require-hashes -r $(RUNTIME_LOCK)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): $(RUNTIME) $(DEVELOPMENT_LOCK)
	$(PIP) install --quiet --require-hashes -r $(DEVELOPMENT_LOCK)
	@touch $@
