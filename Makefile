# Two commands do all set-up on a Debian machine with Rust: `make demo` and `make test`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
ARGS ?=
VENV := .venv

.PHONY: help demo test spark-test deny models lint python-stubs bench fuzz venv-packages postgresql strace java

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: ## Start the service and stream sample calls through it; ARGS=--exit ends when they are printed
	@command -v cargo >/dev/null || { echo "make demo needs Rust: install rustup, then try again"; exit 1; }
	cargo run --quiet --locked -- demo $(ARGS)

test: lint deny $(VENV)/installed postgresql strace ## Install what the tests need, and pass every test
	cargo test --quiet --locked --lib --bins --tests --no-run
	CALLGRADE_PYTHON="$(CURDIR)/$(VENV)/bin/python" tests/bounded 30 cargo test --locked --lib --bins --tests
	cargo test --locked --doc
	@$(MAKE) --no-print-directory models
	@$(MAKE) --no-print-directory spark-test

spark-test: $(VENV)/spark java ## Grade 200,000 calls on a Spark cluster of processes, of which a worker is killed; CALLS=… for another number
	cargo build --quiet --locked
	CALLGRADE_BINARY="$$(realpath "$${CARGO_TARGET_DIR:-target}/debug/callgrade")" $(VENV)/bin/python -m pytest -q -rs -p no:cacheprovider python/tests/spark

deny: ## Check the licences, bans and sources of dependencies (needs cargo-deny)
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check licenses bans sources; else echo "skipped: cargo deny (not installed)"; fi

models: ## Check that each script's model.txt is what its examples give
	cargo run --quiet --locked -- script train --check --scripts scripts

lint: ## Format, clippy, documentation: no warnings
	@command -v cargo >/dev/null || { echo "make test needs Rust: install rustup, then try again"; exit 1; }
	@if cargo fmt --version >/dev/null 2>&1; then cargo fmt --check; else echo "skipped: format (rustfmt is not installed)"; fi
	@if cargo clippy --version >/dev/null 2>&1; then cargo clippy --quiet --locked --all-targets -- -D warnings; else echo "skipped: clippy (not installed)"; fi
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps

python-stubs: $(VENV)/installed ## Make the Python messages and stubs anew from proto/
	$(VENV)/bin/python python/stubs.py

# The Python of the tests, in an environment of its own.
REQUIREMENTS := tests/client/requirements.txt python/tests/requirements.txt
$(VENV)/installed: $(REQUIREMENTS) | venv-packages
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check $(REQUIREMENTS:%=-r %)
	touch $@

$(VENV)/spark: python/tests/spark/requirements.txt $(VENV)/installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r python/tests/spark/requirements.txt
	touch $@

# Debian splits venv off Python: installed as root, else named.
venv-packages:
	@python3 -c 'import venv, ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3 python3-venv; \
	  else echo "make test needs these Debian packages: python3 python3-venv"; echo "  sudo apt-get install python3 python3-venv"; exit 1; fi; }

# The store's tests start a PostgreSQL of their own: the package is installed as root, without its cluster being made; else the tests
# that need it are skipped by name.
postgresql:
	@if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  mkdir -p /etc/postgresql-common; \
	  [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Options::=--force-confold postgresql; \
	else echo "tests of PostgreSQL will be skipped; for them: sudo apt-get install postgresql"; fi

# Spark runs on it.
java:
	@if command -v java >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq default-jre-headless; \
	else echo "tests on a Spark cluster will be skipped; for them: sudo apt-get install default-jre-headless"; fi

# Shows in a test that acknowledgements wait for the disk.
strace:
	@if command -v strace >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq strace; \
	else echo "tests that trace system calls will be skipped; for them: sudo apt-get install strace"; fi

bench: $(VENV)/peers postgresql ## The figures of BENCHMARKS.md
	cargo bench --locked --bench engine
	cargo bench --locked --bench memory
	cargo bench --locked --bench stream
	cargo bench --locked --bench intake
	cargo bench --locked --bench store
	cargo bench --locked --bench peers
	cargo bench --locked --bench regrade

$(VENV)/peers: benches/peers/requirements.txt benches/peers/regrade-requirements.txt $(VENV)/installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r benches/peers/requirements.txt -r benches/peers/regrade-requirements.txt
	touch $@

fuzz: ## Run each fuzz target for SECONDS_EACH seconds (needs a nightly Rust; installs cargo-fuzz)
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz
	for target in jsonl vcon aliyun freeswitch mask script grader; do \
	  mkdir -p fuzz/corpus/$$target; \
	  cargo +nightly fuzz run --target-dir fuzz/target $$target fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$${SECONDS_EACH:-120} -max_len=4096; \
	done
