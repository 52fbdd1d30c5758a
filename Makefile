# The commands of this project; CI runs the same ones. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help run screenshots first-paint test test-litellm test-litellm-admin test-redis test-clients faults guards soak check bench format lock clean

PYTHON ?= python3
VENV := .venv
CLIENTS := openai-3 openai-2 aider
BIN := $(VENV)/bin
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --upgrade \
  --generate-hashes --no-header --no-annotate --exclude-newer $(shell date -d '7 days ago' +%F)
export PORT SANDBOX_PORT DATA_DIR SUPABASE DEMO LITELLM_ADMIN_URL LITELLM_ADMIN_KEY LITELLM_DB_TOOL LITELLM_DB_DIR LITELLM_VERSIONS LITELLM_COMMAND

help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

run: $(VENV)/server ## Start everything with a sandbox and a demo account; SUPABASE=1 signs in there, DEMO=big has half a year of calls
	@$(BIN)/python -m sandbox.demo

screenshots: $(VENV)/dev browser ## Take the pictures of the documents, beside DEMO=big make run
	$(BIN)/python -m sandbox.screenshots

first-paint: $(VENV)/dev browser ## Measure when each page is seen first in Chromium, beside DEMO=big make run
	$(BIN)/python -m sandbox.first_paint

test: $(VENV)/dev browser nginx ## Install what tests need, then run all of them
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-litellm: $(VENV)/dev $(VENV)-litellm/ready ## Run the gateway in front of a real LiteLLM proxy
	$(BIN)/python -m pytest tests/peers

test-litellm-admin: $(VENV)/dev ## Run it in front of one with a database: LITELLM_DB_TOOL starts it, or LITELLM_ADMIN_URL is it
	$(BIN)/python -m pytest tests/litellm_admin

test-redis: $(VENV)/dev ## Count limits in a Redis server, which has to be installed; as root also on two hosts
	$(BIN)/python -m pytest tests/redis

# Not `npm ci`, which refuses a lock that lacks the programs that another system would install.
test-clients: $(VENV)/dev $(CLIENTS:%=$(VENV)-clients-%/ready) ## Run clients from npm and PyPI against the gateway
	npm install --prefix tests/clients --no-save --no-audit --no-fund --silent
	$(BIN)/python -m pytest tests/clients

# Not `?=`, which would draw another seed at each use.
SEED := $(or $(SEED),$(shell shuf -i 1-999999999 -n 1))
faults: $(VENV)/dev nginx haproxy caddy ## Try faults twenty times as long as `test` does; TIMES=n, SEED=n repeats a run
	@echo "make faults SEED=$(SEED) TIMES=$(or $(TIMES),20)"
	FAULTS_TIMES=$(or $(TIMES),20) FAULTS_SEED=$(SEED) $(BIN)/python -m pytest -p tests.faults.summary tests/faults tests/proxies --hypothesis-seed=$(SEED)

guards: $(VENV)/dev ## Take each guard of money and accounts out, and see a test fail; GUARDS="CHECK" takes some
	$(BIN)/python -m tests.guards $(GUARDS)

soak: $(VENV)/dev ## Load the product for MINUTES=20, and see that nothing piles up
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),20) --seed $(SEED)

check: $(VENV)/dev ## Lint, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev ## Measure beside other gateways; BENCH="--help" lists what can be asked for
	$(BIN)/python -m bench $(BENCH)

format: $(VENV)/dev ## Rewrite the code in its one layout
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(VENV)/dev ## Choose versions anew, among releases that are a week old
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) --group server --group postgres --group redis --group otel --output-file requirements.lock
	$(COMPILE) --group dev --output-file requirements-dev.lock

clean: ## Forget the virtual environment and the demo's data
	rm -rf $(VENV) $(VENV)-litellm $(CLIENTS:%=$(VENV)-clients-%) var

.PHONY: browser
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { echo "Installing Chromium for the browser tests"; apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }

# Proxies that stand before the gateway in tests.
.PHONY: nginx haproxy caddy
nginx haproxy caddy:
	@command -v $@ >/dev/null || { echo "Installing $@"; apt-get update -qq && apt-get install -y -qq $@ >/dev/null; }

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Each stamp is newer than its lock when that lock is what is installed.
$(VENV)/server: $(VENV)/python requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/dev: $(VENV)/python requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/server

# Clients are other people's programs, with needs of their own: an environment for those that agree.
$(VENV)-clients-%/ready: tests/clients/python/%.txt
	$(PYTHON) -m venv $(VENV)-clients-$*
	$(VENV)-clients-$*/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# An environment of its own: LiteLLM is a service that we speak HTTP with, never a dependency.
$(VENV)-litellm/ready: $(VENV)/dev requirements-litellm.lock
	$(PYTHON) -m venv $(VENV)-litellm
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(VENV)-litellm/bin/python --require-hashes -r requirements-litellm.lock
	@touch $@
