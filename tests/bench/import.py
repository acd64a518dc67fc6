#!/usr/bin/env python3
"""The rate of `phananh import complaints` against `sqlite3 .import` and PostgreSQL's `COPY … FROM`,
which load the same complaints into the same indexed tables, in one run.

The peers get the finished rows: they neither check nor look anything up, and their files hold no
events. Each is measured three times on an empty database; medians are printed, as Markdown.

Needs the release binary, sqlite3 and psql on the PATH, and a PostgreSQL server
(PHANANH_TEST_POSTGRES_URL, else 127.0.0.1:5432).
"""

import argparse
import csv
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(PROJECT, "target"))
PHANANH = os.path.join(TARGET, "release", "phananh")
SERVER = os.environ.get("PHANANH_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
TABLES = ["complaints", "complaint_sources", "complaint_officers"]
WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)

MAPPING = """
source = "bench"
[file]
rows = "{rows}"
[missing]
unit = "create"
officer = "create"
category = "create"
[fields]
reference = "id"
received = "day"
tax_code = "tax"
unit = "unit"
officer = "officer"
category = "category"
category_kind = {{ constant = "CONDUCT" }}
cost_vnd = "cost"
delay_hours = "hours"
text = "text"
"""


def tax_code(number):
    nine = f"{number:09}"
    check = 10 - sum(int(d) * w for d, w in zip(nine, WEIGHTS)) % 11
    return None if check == 10 else nine + str(check)


def generate(path, rows):
    rng = random.Random(1)
    taxes = [code for code in map(tax_code, range(100_000_000, 100_000_000 + rows // 10 + 100)) if code]
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "day", "tax", "unit", "officer", "category", "cost", "hours", "text"])
        for n in range(rows):
            day = f"{2019 + n * 5 // rows}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
            out.writerow([
                f"C{n:09}", day, rng.choice(taxes), f"U{rng.randint(1, 200):03}", f"O{rng.randint(1, rows // 8 + 1):06}",
                f"K{rng.randint(1, 30):02}", rng.randint(0, 5000) * 1000, rng.randint(0, 400) / 4,
                f"Tờ khai bị giữ lại không nêu lý do, doanh nghiệp đã gọi {rng.randint(2, 9)} lần, hồ sơ số {n}",
            ])


def timed(command, **kwargs):
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **kwargs)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()}")
    return time.perf_counter() - began


def psql(url, sql):
    return subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", url, "-c", sql], check=True, capture_output=True, text=True).stdout


class Postgres:
    name = "PostgreSQL"
    peer = "COPY … FROM"

    def __init__(self, folder):
        self.folder = folder
        self.n = 0
        self.made = []

    def fresh(self):
        self.n += 1
        name = f"phananh_bench_{os.getpid()}_{self.n}"
        psql(SERVER, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        self.made.append(name)
        return SERVER.rsplit("/", 1)[0] + "/" + name

    def reference(self, source, target):
        for table in ("units", "officers", "enterprises", "issue_categories"):
            dump = subprocess.Popen(["psql", "-q", source, "-c", f"COPY {table} TO STDOUT"], stdout=subprocess.PIPE)
            subprocess.run(["psql", "-q", target, "-c", f"COPY {table} FROM STDIN"], stdin=dump.stdout, check=True)

    def dump(self, source):
        for table in TABLES:
            with open(f"{self.folder}/{table}.copy", "w") as file:
                subprocess.run(["psql", "-q", source, "-c", f"COPY (SELECT * FROM {table}) TO STDOUT"], stdout=file, check=True)

    def load(self, target):
        args = ["psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", target]
        for table in TABLES:
            args += ["-c", f"\\copy {table} FROM '{self.folder}/{table}.copy'"]
        return timed(args)

    def size(self, url):
        return int(psql(url, "SELECT pg_database_size(current_database())"))

    def close(self):
        for name in self.made:
            psql(SERVER, f"DROP DATABASE {name} WITH (FORCE)")


class Sqlite:
    name = "SQLite"
    peer = "sqlite3 .import"

    def __init__(self, folder):
        self.folder = folder
        self.n = 0

    def fresh(self):
        self.n += 1
        return f"sqlite:{self.folder}/bench{self.n}.db"

    @staticmethod
    def path(url):
        return url.removeprefix("sqlite:")

    def script(self, url, script):
        return timed(["sqlite3", "-batch", self.path(url)], input=script.encode())

    def reference(self, source, target):
        copies = "".join(f"INSERT INTO {table} SELECT * FROM other.{table};" for table in ("units", "officers", "enterprises", "issue_categories"))
        self.script(target, f"ATTACH '{self.path(source)}' AS other; {copies}")

    def dump(self, source):
        # Ids travel as text, since CSV holds no bytes: `.import` puts them where they belong by itself
        # only for text, so the peer's tables hold the same ids as text of 32 characters.
        for table in TABLES:
            columns = subprocess.run(["sqlite3", self.path(source), f"SELECT group_concat(CASE WHEN type = 'BLOB' THEN 'hex(' || name || ')' ELSE name END, ', ') FROM pragma_table_info('{table}')"],
                                     check=True, capture_output=True, text=True).stdout.strip()
            with open(f"{self.folder}/{table}.csv", "w") as file:
                subprocess.run(["sqlite3", "-csv", self.path(source), f"SELECT {columns} FROM {table}"], stdout=file, check=True)

    def load(self, target):
        imports = "\n".join(f".import --csv {self.folder}/{table}.csv {table}" for table in TABLES)
        return self.script(target, f"PRAGMA cache_size = -262144;\nPRAGMA ignore_check_constraints = ON;\nPRAGMA synchronous = FULL;\nBEGIN;\n{imports}\nCOMMIT;\n")

    def size(self, url):
        return os.path.getsize(self.path(url))

    def close(self):
        pass


def rate(rows, seconds):
    return f"{rows / seconds:,.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    for tool in ("sqlite3", "psql"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is not on the PATH: install Debian's packages sqlite3 and postgresql-client")
    if not os.path.exists(PHANANH):
        sys.exit(f"{PHANANH} is not there: cargo build --release -p api")
    with tempfile.TemporaryDirectory() as folder:
        csv_file = f"{folder}/input.csv"
        generate(csv_file, args.rows)
        print(f"{args.rows:,} complaints, one officer each, {os.path.getsize(csv_file) / 1e6:.0f} MB of CSV; medians of {args.times}\n")
        print("| database | rows | phananh, rows/s | peer | peer, rows/s | ratio | database after phananh, MB | after the peer, MB |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for backend in (Sqlite(folder), Postgres(folder)):
            try:
                for order in ("scattered", "adjacent"):
                    mapping = f"{folder}/{order}.toml"
                    with open(mapping, "w") as file:
                        file.write(MAPPING.format(rows=order))
                    ours, theirs = [], []
                    for n in range(args.times):
                        url = backend.fresh()
                        subprocess.run([PHANANH, "--database", url, "migrate"], check=True, stdout=subprocess.DEVNULL)
                        ours.append(timed([PHANANH, "--database", url, "import", "complaints", csv_file, "--mapping", mapping]))
                        if n == 0:
                            backend.dump(url)
                        peer = backend.fresh()
                        subprocess.run([PHANANH, "--database", peer, "migrate"], check=True, stdout=subprocess.DEVNULL)
                        backend.reference(url, peer)
                        theirs.append(backend.load(peer))
                    a, b = statistics.median(ours), statistics.median(theirs)
                    print(f"| {backend.name} | {order} | {rate(args.rows, a)} | {backend.peer} | {rate(args.rows, b)} | {b / a:.2f} | {backend.size(url) / 1e6:.0f} | {backend.size(peer) / 1e6:.0f} |", flush=True)
            finally:
                backend.close()


main()
