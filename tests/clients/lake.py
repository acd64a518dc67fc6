"""Reads a lake as DuckDB does: with the statements of lake.sql, in the folder of the lake.

lake.py FOLDER ask QUERY     prints the rows as JSON
lake.py FOLDER dump          prints all cells of all tables, one a line
lake.py FOLDER watch STOP    reads all tables again and again until the file STOP is there, and checks them against the
                             manifest and against the folders of tables; prints how often
"""

import json
import os
import sys

import duckdb


def tables(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        return json.load(file)["tables"]


def connect(folder):
    connection = duckdb.connect()
    with open(os.path.join(folder, "lake.sql"), encoding="utf-8") as file:
        connection.execute(file.read())
    return connection


def rows(connection, query):
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row)) for row in found.fetchall()]


def watch(folder, stop):
    rounds = 0
    while not os.path.exists(stop):
        described = tables(folder)
        connection = connect(folder)
        for name, table in described.items():
            files = [file["path"] for file in table["files"]]
            of_manifest = connection.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone()[0]
            assert of_manifest == table["rows"], (name, of_manifest, table["rows"])
            # The changes of this test change rows and add none.
            of_view = connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            of_folder = connection.execute(f"SELECT count(*) FROM read_parquet('{name}/*.parquet')").fetchone()[0]
            assert of_view == of_folder == table["rows"], (name, of_view, of_folder, table["rows"])
        rounds += 1
    return rounds


def main():
    folder, what, *rest = sys.argv[1:]
    os.chdir(folder)
    if what == "ask":
        print(json.dumps(rows(connect("."), rest[0]), default=str))
    elif what == "dump":
        connection = connect(".")
        for name in tables("."):
            for row in connection.execute(f"SELECT * FROM {name}").fetchall():
                for cell in row:
                    print(cell)
    elif what == "watch":
        print(watch(".", rest[0]))


main()
