# Recipes of the project. `just` lists them.

default:
    @just --list

# Run everything that CI checks
ci:
    bash .ci/run

# Format and lint
lint:
    cargo fmt
    cargo clippy --workspace --all-targets -- -D warnings

# Run all tests, as the README says
test:
    cargo test --workspace

# Accept the present schema: then review the difference of docs/schema.graphql.snap
schema:
    INSTA_UPDATE=always cargo test -p api --test whole documents

# Check licences, sources and bans of the dependencies
deny:
    cargo deny check bans licenses sources

# Measure the rate of an import against `sqlite3 .import` and `COPY … FROM`, in one run
bench-import rows="200000":
    cargo build --release -p api
    python3 tests/bench/import.py --rows {{rows}}

# Measure the counts of the recurrence job against DuckDB with scipy, in one run
bench-recurrence *args:
    cargo build --release --workspace --bins --examples
    python3 tests/bench/recurrence.py {{args}}

# Fetch GraphiQL's assets from npm, which the binary embeds
graphiql:
    bash api/assets/graphiql/fetch.sh

# Measure a page, statistics and subscribers against PostGraphile, pgbench, PostgreSQL and DuckDB, in one run
bench-api *args:
    cargo build --release --workspace --bins
    python3 tests/bench/api.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure a page of complaints: every row read, from the cache beside 50 writes a second, and the same page again
bench-pages *args:
    cargo build --release --workspace --bins
    python3 tests/bench/pages.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure honest clients beside 50 hostile connections, against the same clients alone, in one run
bench-hostile *args:
    cargo build --release --workspace --bins
    python3 tests/bench/hostile.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Fuzz documents, filters, request heads and tokens for this many seconds each, with their time and memory
fuzz seconds="1200":
    PHANANH_FUZZ_SECONDS={{seconds}} cargo test -p api --test whole -- --test-threads 1 fuzz:: --nocapture

# Measure time and memory of a verification of all seals and rows
bench-verify *args:
    cargo build --release --workspace --bins
    python3 tests/bench/verify.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure memory and threads while 32 connections read and write; --postgres URL also measures PostgreSQL
bench-storm *args:
    cargo build --release --workspace --bins
    python3 tests/bench/storm.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}
