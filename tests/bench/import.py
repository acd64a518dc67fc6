#!/usr/bin/env python3
"""The rate of `phananh import complaints` against `sqlite3 .import` and PostgreSQL's `COPY … FROM`,
which load the same complaints into the same indexed tables, in one run.

    python3 tests/bench/import.py --program target/release/phananh [--rows 200000] [--rounds 5] [--only sqlite|postgres]
                               [--order scattered|adjacent]
    python3 tests/bench/import.py --program target/release/phananh --readers 8

The peers get the finished rows: they neither check nor look anything up, and their files hold no events. Both sides
load into an empty database, in turn, in each round; prints the medians as Markdown, with the peak memory of phananh.

With `--readers N` it measures something else: N connections read pages from a server of an SQLite file, alone and
beside an import of 50,000 complaints into the same file (or of `--rows`), and how long each batch of the import took.

Needs sqlite3 and psql on the PATH, and a PostgreSQL server (PHANANH_TEST_POSTGRES_URL, else 127.0.0.1:5432).
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile

from common import databases
from common.complaints_csv import write_complaints, write_mapping
from common.figures import table
from common.processes import measured
from common.register import Program
from import_readers import beside_readers

TABLES = ["complaints", "complaint_sources", "complaint_officers"]
REFERENCE = ("units", "officers", "enterprises", "issue_categories")


class Postgres(databases.Postgres):
    peer = "COPY … FROM"

    def __init__(self, folder):
        super().__init__(databases.SERVER)
        self.folder = folder

    def reference(self, source, target):
        """Copies what complaints refer to."""
        for name in REFERENCE:
            command = ["psql", "-q", source, "-c", f"COPY {name} TO STDOUT"]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as dump:
                subprocess.run(["psql", "-q", target, "-c", f"COPY {name} FROM STDIN"], stdin=dump.stdout, check=True)

    def dump(self, source):
        """Writes the finished rows for the peer."""
        for name in TABLES:
            with open(f"{self.folder}/{name}.copy", "w") as file:
                subprocess.run(["psql", "-q", source, "-c", f"COPY {name} TO STDOUT"], stdout=file, check=True)

    def load(self, target):
        """Seconds that the peer takes."""
        command = ["psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", target]
        for name in TABLES:
            command += ["-c", f"\\copy {name} FROM '{self.folder}/{name}.copy'"]
        return measured(command).seconds


class Sqlite(databases.Sqlite):
    peer = "sqlite3 .import"

    def shell(self, url, script):
        """Seconds that a script of SQLite's shell takes."""
        file = f"{self.folder}/script.sql"
        with open(file, "w") as out:
            out.write(script)
        with open(file) as script:
            return measured(["sqlite3", "-batch", "-bail", self.path(url)], stdin=script).seconds

    def reference(self, source, target):
        """Copies what complaints refer to."""
        copies = "".join(f"INSERT INTO {name} SELECT * FROM other.{name};" for name in REFERENCE)
        self.shell(target, f"ATTACH '{self.path(source)}' AS other; {copies}")

    def dump(self, source):
        """Writes the finished rows for the peer. CSV holds no bytes: ids are 32 hexadecimal digits, and the peer's
        tables hold them as text."""
        for name in TABLES:
            column = "CASE WHEN type = 'BLOB' THEN 'hex(' || name || ')' ELSE name END"
            listed = f"SELECT group_concat({column}, ', ') FROM pragma_table_info('{name}')"
            columns = measured(["sqlite3", self.path(source), listed]).out.strip()
            with open(f"{self.folder}/{name}.csv", "w") as file:
                command = ["sqlite3", "-csv", self.path(source), f"SELECT {columns} FROM {name}"]
                subprocess.run(command, stdout=file, check=True)

    def load(self, target):
        """Seconds that the peer takes."""
        settings = "PRAGMA cache_size = -262144; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = FULL;\n"
        imports = "\n".join(f".import --csv {self.folder}/{name}.csv {name}" for name in TABLES)
        return self.shell(target, f"{settings}BEGIN;\n{imports}\nCOMMIT;\n")


def compared(store, asked, csv_file, mapping):
    """The medians of both sides, and sizes."""
    ours, theirs, peaks, sizes, peer_sizes = [], [], [], [], []
    for nth in range(asked.rounds):
        urls = [store.fresh(), store.fresh()]
        try:
            program, peer = (Program(asked.program, url) for url in urls)
            program.run("migrate")
            done = program.run("import", "complaints", csv_file, "--mapping", mapping)
            ours.append(done.seconds)
            peaks.append(done.peak_mb)
            sizes.append(store.mb(program.database))
            if nth == 0:
                store.dump(program.database)
            peer.run("migrate")
            store.reference(program.database, peer.database)
            theirs.append(store.load(peer.database))
            peer_sizes.append(store.mb(peer.database))
        finally:
            for url in urls:
                store.drop(url)
    a, b = statistics.median(ours), statistics.median(theirs)
    return [asked.rows / a, store.peer, asked.rows / b, f"{b / a:.2f}", max(peaks), sizes[-1], peer_sizes[-1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--order", choices=["scattered", "adjacent"], help="of the rows of the file; both by default")
    parser.add_argument("--readers", type=int, help="measure so many readers beside an import instead")
    asked = parser.parse_args()
    for tool in ("sqlite3", "psql"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is not on the PATH: install Debian's packages sqlite3 and postgresql-client")
    with tempfile.TemporaryDirectory() as folder:
        if asked.readers:
            beside_readers(asked.program, folder, asked.readers, asked.rows or 50_000)
            return
        asked.rows = asked.rows or 200_000
        csv_file = f"{folder}/input.csv"
        write_complaints(csv_file, asked.rows)
        print(f"{asked.rows:,} complaints, one officer each; medians of {asked.rounds} rounds\n")
        header = ["database", "rows", "phananh, rows/s", "peer", "peer, rows/s", "ratio", "phananh's memory, MB"]
        header += ["database after phananh, MB", "after the peer, MB"]
        rows = []
        kinds = {"sqlite": Sqlite, "postgres": Postgres}
        for store in [kind(folder) for name, kind in kinds.items() if asked.only in (None, name)]:
            for order in [asked.order] if asked.order else ["scattered", "adjacent"]:
                mapping = f"{folder}/{order}.toml"
                write_mapping(mapping, order)
                rows.append([store.name, order, *compared(store, asked, csv_file, mapping)])
        print(table(header, rows))


if __name__ == "__main__":
    main()
