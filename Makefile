# Everything here needs python3 (3.11 or newer) and make, nothing else.
#
#   make run      the whole service with demo content, at http://127.0.0.1:8000 (PORT=8001 for another)
#   make test     every test, on SQLite and on PostgreSQL
#   make check    format, lint, types, import contract, migrations, lock files
#   make bench    measure; make faults: kill things while they send. JSON in var/bench/
#   make format   put the code into shape

PYTHON ?= python3
BOOTSTRAP = $(PYTHON) -I project/local/bootstrap.py
UV ?= uv
UV_COMPILE = $(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-header -q $(LOCK)

.PHONY: run test check format bench faults lock help

run:
	@$(BOOTSTRAP) run

test:
	@$(BOOTSTRAP) test -m tests.running $(ARGS)

check:
	@$(BOOTSTRAP) test -m tests.running.check

format:
	@$(BOOTSTRAP) test -m ruff format
	@$(BOOTSTRAP) test -m ruff check --fix

bench:
	@$(BOOTSTRAP) test -m benchmarks

faults:
	@$(BOOTSTRAP) test -m benchmarks.faults

# Needs uv (https://docs.astral.sh/uv/). Newer versions are taken with LOCK=--upgrade.
lock:
	$(UV_COMPILE) pyproject.toml -o requirements.txt
	$(UV_COMPILE) pyproject.toml --extra local -c requirements.txt -o requirements-local.txt
	$(UV_COMPILE) pyproject.toml --extra test -c requirements-local.txt -o requirements-test.txt
	$(UV_COMPILE) --group valkey -o requirements-valkey.txt

help:
	@sed -n 's/^#   //p' Makefile
