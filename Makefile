# What there is to run. Needs git, Rust, a C compiler, Node and Python; `make` checks them and says where they come from.

.DEFAULT_GOAL := help
.PHONY: help tools build setup test torture demo try bench lint clean

# The least versions, as in Cargo.toml; the test bed checks node and python itself.
RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 15

tools:
	@command -v cargo >/dev/null || { echo 'cargo is missing: Rust $(RUST) or newer, from rustup.rs' >&2; exit 1; }
	@command -v cc >/dev/null || { echo 'cc is missing: a C compiler builds libgit2 (apt-get install gcc, xcode-select --install)' >&2; exit 1; }
	@command -v git >/dev/null || { echo 'git is missing: 2.30 or newer (apt-get install git, brew install git)' >&2; exit 1; }
	@found=$$(rustc --version | cut -d ' ' -f 2); \
	  [ "$$(printf '%s\n' $(RUST) "$${found%%-*}" | sort -V | head -n 1)" = "$(RUST)" ] || \
	  { echo "rust $$found is too old: $(RUST) or newer (rustup update)" >&2; exit 1; }

build: tools ## build git-slsart
	cargo build --locked

setup: ## make the test bed in target/bed: a local AWS, an LFS server, the frameworks, an npm cache
	@tests/bed/setup

test: tools setup ## unit, command and end-to-end tests, the real framework on a local AWS
	cargo test --locked --no-fail-fast

torture: tools ## the long form of the crash and fault tests, which prints figures; TORTURE_SEED and TORTURE_RUNS set them
	TORTURE=long cargo test --locked --test torture -- --nocapture

demo: build ## from commit to live and back on a local AWS, with proof
	@tests/bed/setup demo
	@tests/bed/demo

try: tools ## the same with a smaller build, which can't ask AWS itself
	cargo build --locked --no-default-features --target-dir target/try
	@tests/bed/setup demo
	@SLSART_BIN_DIR=target/try/debug tests/bed/demo

bench: tools setup ## tables of times and sizes beside peers
	@tests/bed/growth/make
	cargo bench --locked --bench figures

lint: tools ## formatter and clippy, warnings denied, with AWS and without
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --no-default-features -- -D warnings

clean: ## remove what was built, the test bed too
	cargo clean
