# Everything runs in .venv, made on first use from git and Python 3.11+ alone; uv is used when it is on PATH.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
PY := $(VENV)/bin/python
DEV := $(VENV)/.dev-installed
DEMO := $(VENV)/.demo-installed
CODE := dbwatch tests benchmarks
DEMO_ARGS ?=
TEST_ARGS ?=
# Most tests wait for a server to do something: two at a time use two cores better than one.
TEST_WORKERS ?= 2
PARALLEL := -n $(TEST_WORKERS) --dist loadfile

.PHONY: help venv demo check test lint format types unit bench bench-backup docs lock build clean test-matrix

help: venv ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

venv: $(DEV)

$(PY):
	scripts/make_venv $(VENV)

$(DEV): requirements/dev.txt pyproject.toml | $(PY)
	scripts/install_locked $(VENV) requirements/dev.txt -e .
	@touch $@ $(DEMO)

# What runs is less than what is developed with: a demonstration downloads 44 packages, not 66.
$(DEMO): requirements/demo.txt pyproject.toml | $(PY)
	scripts/install_locked $(VENV) requirements/demo.txt -e .
	@touch $@

demo: $(DEMO) ## PostgreSQL 18, MariaDB where it can be had, a small workload, and the daemon on them (DEMO_ARGS=)
	@scripts/install_test_packages --optional mariadb
	$(VENV)/bin/dbwatch demo $(DEMO_ARGS)

check: lint types unit ## Lint, types, unit tests: before every commit, under 2 minutes

lint: $(DEV)
	$(VENV)/bin/ruff check $(CODE)
	$(VENV)/bin/ruff format --check $(CODE)

format: $(DEV) ## Format, and mend what ruff can mend
	$(VENV)/bin/ruff format $(CODE)
	$(VENV)/bin/ruff check --fix $(CODE)

types: $(DEV)
	$(VENV)/bin/mypy $(CODE)

unit: $(DEV) ## Tests that need no server
	$(PY) -m pytest -q $(PARALLEL) tests/unit tests/test_architecture.py $(TEST_ARGS)

test: $(DEV) ## Every test, on real servers (Debian packages are installed when missing)
	scripts/install_test_packages
	$(PY) -m pytest $(PARALLEL) $(TEST_ARGS)

test-matrix: $(DEV) ## PostgreSQL 13 to 18, MariaDB 10.11 and 11.8, MySQL 9 and their replicas, downloaded into .cache/lab
	scripts/install_test_packages
	tests/lab/fetch_postgres
	tests/lab/fetch_debian sid mysql mysql-server-core mysql-client-core
	tests/lab/fetch_debian trixie mariadb mariadb-server-core mariadb-client-core
	tests/lab/fetch_debian trixie postgres-client postgresql-client-17
	DBWATCH_LAB=1 $(PY) -m pytest -n 2 --dist loadfile tests/lab $(TEST_ARGS)

bench: $(DEV) ## The benchmarks' table, ratios against the peers
	$(PY) -m benchmarks

bench-backup: $(DEV) ## What a backup costs beside the bare pg_dump, on 1.3 GB
	scripts/install_test_packages
	tests/lab/fetch_debian sid postgres-client-18 postgresql-client-18
	$(PY) -m benchmarks backup

docs: $(DEV) ## Regenerate docs/reference
	$(VENV)/bin/dbwatch collectors --docs docs/reference

lock: $(DEV) ## Refresh requirements/*.txt
	scripts/lock $(VENV)/bin/uv

build: $(DEV) ## The wheel, in dist/
	rm -rf dist
	$(PY) -m hatchling build -t wheel

clean: ## Remove what was built and cached, the environment included
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
