# One command for each thing to do; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
CODE := function_app.py functions shared local tests benchmarks

# What `make demo` hands on, when it is set
DEMO := ROWS EXTRACT EMAIL FIRST_NAME LAST_NAME COUNTRY STATE CITY POSTAL_CODE
export $(DEMO)

.PHONY: help demo serve test lint types bench contract install lock clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: install ## The main job on this machine: an extract becomes contacts on a list (ROWS=…, EXTRACT=file.csv EMAIL=…)
	@$(BIN)/python -m local.demo

serve: install ## Keep the local cloud and the app up, with curl lines to paste
	@$(BIN)/python -m local.serve

test: install ## All tests
	@$(BIN)/python -m pytest

lint: install ## ruff: style and errors
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: install ## mypy, strict
	@$(BIN)/mypy $(CODE)

bench: install ## Speed and memory, as ratios within one run (ROWS=1000000)
	@$(BIN)/python -m benchmarks

contract: install ## The SendGrid simulator against SendGrid's OpenAPI files (SENDGRID_OAI=dir)
	@$(BIN)/python -m pytest tests/contract

install: $(VENV)/.installed node_modules/.installed ## What everything else needs, into .venv and node_modules

$(VENV)/.installed: requirements.txt requirements-dev.txt local/find_python.sh
	@python=$$(sh local/find_python.sh) && "$$python" -m venv --clear $(VENV)
	@echo "Installing Python packages into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

node_modules/.installed: package-lock.json local/find_node.sh
	@sh local/find_node.sh
	@echo "Installing Azurite into node_modules …"
	@npm ci --silent --no-fund --no-audit
	@touch $@

lock: install ## Pin anew what requirements.in and requirements-dev.in ask for
	@for name in requirements requirements-dev; do \
	  $(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --annotation-style=line \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o $$name.txt $$name.in; done

clean: ## Remove what `make install` and the tests left
	@rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
