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

# Accept the present charts: then look at the pictures in docs/charts
charts:
    PHANANH_WRITE_CHARTS=1 cargo test -p jobs --test charts golden

# Write every chart in both languages, themes and widths as SVG and PNG into a folder
draw-charts folder:
    cargo run -p jobs --example charts -- {{folder}}

# Check licences, sources and bans of the dependencies
deny:
    cargo deny check bans licenses sources

# Measure the rate of an import against `sqlite3 .import` and `COPY … FROM`, or with --readers N pages beside an import
bench-import *args:
    cargo build --release --workspace --bins
    python3 tests/bench/import.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

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

# Measure a page of complaints against PostGraphile, OpenReader and pgbench: cold, from the caches, the same page again
bench-pages *args:
    cargo build --release --workspace --bins
    python3 tests/bench/pages.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure honest clients beside 50 hostile connections, against the same clients alone, in one run
bench-hostile *args:
    cargo build --release --workspace --bins
    python3 tests/bench/hostile.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure SQL on a running server against DuckDB over the same Parquet, the command line, and exports against COPY
bench-sql *args:
    cargo build --release --workspace --bins
    cargo build --release -p api --features engine --bin phananh-engine
    python3 tests/bench/sql.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Fuzz documents, filters, request heads, tokens and SQL for this many seconds each, with their time and memory
fuzz seconds="1200":
    PHANANH_FUZZ_SECONDS={{seconds}} cargo test -p api --test whole -- --test-threads 1 fuzz:: --nocapture

# Measure time and memory of a verification of all seals and rows
bench-verify *args:
    cargo build --release --workspace --bins
    python3 tests/bench/verify.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure exports of complaints against `COPY … TO`, in one run
bench-export *args:
    cargo build --release --workspace --bins
    python3 tests/bench/export.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure memory and threads under ten minutes of load; --postgres URL also measures PostgreSQL
bench-soak *args:
    cargo build --release --workspace --bins
    python3 tests/bench/soak.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure how time and memory grow from 10,000 complaints to 1 M, or as --sizes says; --postgres URL for PostgreSQL
bench-growth *args:
    cargo build --release --workspace --bins
    python3 tests/bench/growth.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Measure questions over invented lakes of 1 M, 10 M and 100 M allegations, on this machine and in a cluster of Sail
bench-cluster *args:
    cargo build --release --workspace --bins
    cargo build --release -p api --features engine --bin phananh-engine
    python3 tests/bench/cluster.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}
