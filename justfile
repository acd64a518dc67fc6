# The habits of the project. `just` lists them.

default:
    @just --list

# Everything that CI checks
ci:
    bash .ci/run

# Format, lint
lint:
    cargo fmt
    cargo clippy --workspace --all-targets -- -D warnings

# All tests: the command of the README
test:
    cargo test --workspace

# Accept the schema as it is now: review the difference of docs/schema.graphql.snap
schema:
    INSTA_UPDATE=always cargo test -p api --test whole documents

# Licences, sources and bans of what we depend on; advisories where they can be reached
deny:
    cargo deny check bans licenses sources

# The rate of an import against `sqlite3 .import` and `COPY … FROM`, in one run
bench-import rows="200000":
    cargo build --release -p api
    python3 tests/bench/import.py --rows {{rows}}

# The counts of the recurrence job against DuckDB with scipy, in one run
bench-recurrence *args:
    cargo build --release --workspace --bins --examples
    python3 tests/bench/recurrence.py {{args}}

# GraphiQL's assets from npm, as they are embedded in the binary
graphiql:
    bash api/assets/graphiql/fetch.sh

# A page, statistics and subscribers against PostGraphile, pgbench, PostgreSQL and DuckDB, in one run
bench-api *args:
    cargo build --release --workspace --bins
    python3 tests/bench/api.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Honest clients beside 50 hostile connections, against the same alone, in one run
bench-hostile *args:
    cargo build --release --workspace --bins
    python3 tests/bench/hostile.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Random documents, filters, heads and tokens, each for so many seconds, with their time and memory
fuzz seconds="1200":
    PHANANH_FUZZ_SECONDS={{seconds}} cargo test -p api --test whole -- --test-threads 1 fuzz:: --nocapture

# How long and with how much memory a register is verified, seals and every row
bench-verify *args:
    cargo build --release --workspace --bins
    python3 tests/bench/verify.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Memory and threads while 32 connections read and write; --postgres URL measures PostgreSQL, too
bench-storm *args:
    cargo build --release --workspace --bins
    python3 tests/bench/storm.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}
