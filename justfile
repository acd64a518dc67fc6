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

# Run the tests of the whole program, and list how many seconds each takes, the longest first
test-times:
    #!/usr/bin/env bash
    set -euo pipefail
    program=$(realpath "$(cargo test --workspace --no-run 2>&1 | sed -n 's/.*(\(.*whole-[0-9a-f]*\))$/\1/p')")
    cd api
    # The harness of a stable compiler reports times only where it is told to be an unstable one.
    RUST_TEST_THREADS="${RUST_TEST_THREADS:-4}" RUSTC_BOOTSTRAP=1 "$program" -Z unstable-options --report-time \
        | sed -nE 's/^test (.*) \.\.\. (ok|FAILED) <([0-9.]+)s>$/\3 \1/p' | sort -rn

# Accept the present schema: then review the difference of docs/schema.graphql.snap
schema:
    INSTA_UPDATE=always cargo test -p api --test whole documents

# Accept the present charts: then look at the pictures in docs/charts
charts:
    PHANANH_WRITE_CHARTS=1 cargo test -p jobs --test charts golden

# Write every chart in both languages, themes and widths as SVG and PNG into a folder
draw-charts folder:
    cargo run -p jobs --example charts -- {{folder}}

# Draw the pictures of docs/statistics.md from a generated register: then look at them
draw-statistics:
    #!/usr/bin/env bash
    set -euo pipefail
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cargo build --release --workspace --bins
    program="${CARGO_TARGET_DIR:-target}/release/phananh"
    "$program" --database "sqlite:$folder/world.db" generate --complaints 50000 --seed 1
    "$program" --database "sqlite:$folder/world.db" jobs run recurrence --as-of 2025-12-31
    cargo run --release -p jobs --example statistics_pictures -- "sqlite:$folder/world.db" docs/pictures

# Take the pictures of the page in docs/pictures from a demonstration, or those of the views named: then look at them
pictures *args:
    cargo build --release --workspace --bins
    python3 tests/pictures/draw.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

# Count what alerts about bursts find in generated worlds, and false ones: the tables of docs/alerts.md
study-alerts *args:
    cargo run --release -p jobs --example alert_study -- {{args}}

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

# Measure each stage of the recurrence job over a register, as of a day; nothing is stored
bench-recurrence-stages url day:
    cargo build --release -p jobs --example recurrence_stages
    "${CARGO_TARGET_DIR:-target}/release/examples/recurrence_stages" {{url}} {{day}}

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

# Measure the views of the web page over a large register, with 8 readers at once
bench-web *args:
    cargo build --release --workspace --bins
    python3 tests/bench/web.py --program "${CARGO_TARGET_DIR:-target}/release/phananh" {{args}}

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
