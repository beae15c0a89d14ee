# Thin on purpose: each target sets the machine up (seconds, and nothing when done) and calls a command.

VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint wheel clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

setup:  ## system packages, .venv, the cffi module; nothing to do when all is there
	@sh pyloader/_setup/setup.sh

demo: setup  ## the main job, in a virtual machine: swap and tune schedulers under load
	@$(VENV)/scxhid demo

test: setup  ## every test: plain, on this host's BPF, and inside virtual machines
	@$(VENV)/python tests/run.py

bench: setup  ## all benchmarks, or one suite: make bench SUITE=NAME
	@$(VENV)/python -m vm.bench $(SUITE)

lint:  ## ruff, pyright, import-linter and clang-format; all of them, also after one has failed
	@sh pyloader/_setup/setup.sh --lint
	@status=0; try() { echo "$$*"; "$$@" || status=1; }; \
	try $(VENV)/ruff check --quiet; \
	try $(VENV)/ruff format --check --quiet; \
	try $(VENV)/pyright; \
	try $(VENV)/lint-imports --no-cache; \
	try clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h'); \
	exit $$status

wheel: setup  ## dist/*.whl and dist/*.tar.gz
	@$(VENV)/python -m hatchling build

clean:  ## what the targets above made, apart from .venv and the caches below XDG_CACHE_HOME
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	find pyloader tui vm tests -name __pycache__ -prune -exec rm -rf {} +
