# One command for each thing to do; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .local/checkov
AZ := .local/az
INSTALLED := $(VENV)/.installed node_modules/.installed
# What `make lock` pins, in this order: the second and third are made of those before, and more
LOCKED := requirements requirements-dev tools/requirements-exports tools/requirements-az tools/requirements-checkov
# Tests of the code alone, and those that start servers and wait for them: three workers keep two processors busy
QUICK := tests/unit tests/corpus
THOROUGH := tests/infra tests/e2e tests/integration tests/contract
FUZZ := tests/unit/functions/test_hostile_requests.py tests/e2e/test_hostile_requests.py
MINUTES ?= 10
CODE := function_app.py functions shared local infra tools tests benchmarks

# What `make demo` and `make explain` hand on, when it is set
DEMO := ROWS EXTRACT EMAIL FIRST_NAME LAST_NAME COUNTRY STATE CITY POSTAL_CODE SCHEDULED
EXPLAIN := FOLDER SEGMENT PREFIX MAPPING SOURCE FIELDS CONTACTS
# What `make serve` hands on
SERVE := AUTHENTICATION
# What `make faults` and `make bench` hand on
CHECKS := SEED SCENARIOS KILLS
export $(DEMO) $(EXPLAIN) $(SERVE) $(CHECKS)

.PHONY: screenshots docs messages help demo explain serve check test coverage faults fuzz infra snapshots package sbom audit checkov az lint types bench contract install lock clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: install ## The main job on this machine: an extract becomes contacts on a list (ROWS=…, EXTRACT=file EMAIL=…, SCHEDULED=0)
	@$(BIN)/python -m local.demo

explain: install ## What the app would take from a folder on disk (FOLDER=… SEGMENT=… MAPPING=… SOURCE=… FIELDS=… CONTACTS=20)
	@$(BIN)/python -m local.explain

serve: install ## Keep the local cloud, the app and its console up (EXTRACT=file EMAIL=…; AUTHENTICATION=entra: a caller of each role)
	@$(BIN)/python -m local.serve

check: lint types ## What every commit must pass: lint, types, unit tests and the corpus of extracts
	@$(BIN)/python -m pytest -n 2 --hypothesis-profile=quick $(QUICK)

test: install package ## All tests
	@$(BIN)/python -m pytest -n 2 $(QUICK)
	@$(BIN)/python -m pytest -rs -n 3 --dist loadfile $(THOROUGH)

coverage: install ## How much of shared/ and functions/ the quick tests reach; fails under the floor
	@$(BIN)/python -m pytest -n 2 --hypothesis-profile=quick --cov --cov-report=term:skip-covered $(QUICK)

faults: install ## The fault suite: crashes, throttling, outages, lies (SEED=… SCENARIOS=… KILLS=…)
	@$(BIN)/python -m local.faults

fuzz: install ## Hostile requests at every route, in memory and on the local host, as long as one wants (MINUTES=10)
	@end=$$(( $$(date +%s) + 60 * $(MINUTES) )); until [ $$(date +%s) -ge $$end ]; do \
	  $(BIN)/python -m pytest --hypothesis-profile=fuzz --timeout=3600 $(FUZZ) || exit 1; done

lint: install ## ruff: style and errors
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: install ## mypy, strict
	@$(BIN)/mypy $(CODE)

bench: install ## Speed and memory, as ratios within one run (ROWS=1000000, PROFILE=realistic)
	@$(BIN)/python -m benchmarks

messages: install ## The console's messages: the same keys in every language, English where one is not translated yet
	@$(BIN)/python -m tools.messages

screenshots: install ## Pictures of the console, with made-up people, into docs/pictures (needs Chromium)
	@$(BIN)/python -m tools.screenshots

docs: install ## Write what is made from the code: docs/openapi.json, docs/errors.md, docs/schemas, the tables of docs/api.md
	@$(BIN)/python -m tools.describe_api

contract: install ## The app against its own OpenAPI document, the SendGrid simulator against SendGrid's (SENDGRID_OAI=dir)
	@$(BIN)/python -m pytest tests/contract

infra: install package ## Everything about the deployment that can be checked without Azure (BICEP=compiler)
	@$(BIN)/python -m tools.infra

snapshots: install ## What the template would deploy, into infra/snapshots: read the difference before it is committed (BICEP=compiler)
	@$(BIN)/python -m tools.snapshots

package: .local/package.zip sbom ## The deployment package with its requirements, in .local/package.zip, and what it holds beside it

.local/package.zip: requirements.txt host.json function_app.py infra/package.py \
		$(wildcard functions/*.py functions/*.j2 functions/swagger_ui/* functions/console/*.* functions/console/*/*.* functions/console/*/*/*) $(wildcard shared/*.py shared/*/*.py) | install
	@echo "Building the deployment package …"
	@$(BIN)/python infra/package.py

sbom: .local/package.cdx.json ## The package's bill of materials (CycloneDX), in .local/package.cdx.json

.local/package.cdx.json: requirements.txt pyproject.toml | install
	@mkdir -p .local
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
	  --output-format JSON --output-file $@ requirements.txt

audit: install ## Known weaknesses of Python's and npm's packages, and secrets in what is committed (AUDIT=python|npm|secrets)
	@$(BIN)/python -m tools.audit $(AUDIT)

checkov: install $(CHECKOV)/bin/checkov ## A second opinion on the Bicep, by checkov (installs 270 MB into .local)
	@CHECKOV=$(abspath $(CHECKOV)/bin/checkov) $(BIN)/python -m pytest -rs tests/infra/test_checkov.py

az: install package $(AZ)/bin/az ## The real az: every command line, and a deployment's life against a pretended Azure (700 MB into .local)
	@AZ=$(abspath $(AZ)/bin/az) $(BIN)/python -m pytest -rs --timeout=900 tests/infra/test_azure_cli.py tests/infra/test_life_of_a_deployment.py

$(CHECKOV)/bin/checkov: tools/requirements-checkov.txt
	@$(BIN)/python -m venv --clear $(CHECKOV)
	@$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(AZ)/bin/az: tools/requirements-az.txt
	@$(BIN)/python -m venv --clear $(AZ)
	@$(AZ)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

install: ## What everything else needs, into .venv and node_modules, side by side
	@$(MAKE) --silent --question $(INSTALLED) || { \
	  sh local/find_python.sh >/dev/null && sh local/find_node.sh && \
	  $(MAKE) --silent --no-print-directory --jobs=2 $(INSTALLED); }

# Python compiles a module when it is first imported, and most of them never are
$(VENV)/.installed: requirements.txt requirements-dev.txt local/find_python.sh
	@echo "Installing Python packages into $(VENV) …"
	@python=$$(sh local/find_python.sh) && "$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
	  --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.installed: package-lock.json
	@echo "Installing npm packages into node_modules …"
	@npm ci --loglevel=error --no-fund --no-audit --no-update-notifier >/dev/null
	@touch $@

lock: install ## Pin anew, with hashes, what requirements.in and its neighbours ask for
	@for name in $(LOCKED); do \
	  $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
	    --annotation-style=line --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    -o $$name.txt $$name.in; done

clean: ## Remove what `make install` and the tests left
	@rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
