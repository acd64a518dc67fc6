"""Answers questions with DuckDB over a lake: duckdb_answers.py FOLDER, with a JSON list of texts on standard input.

Prints a JSON list: for each text its rows, or the message with which DuckDB refused it. Dates are YYYY-MM-DD and
decimal numbers are floats, as the test compares numbers by their relative difference.
"""

import datetime
import decimal
import json
import math
import os
import sys

import duckdb


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def answer(connection, text):
    try:
        return [plain(row) for row in connection.execute(text).fetchall()]
    except duckdb.Error as error:
        return str(error)


def main():
    questions = json.load(sys.stdin)
    os.chdir(sys.argv[1])
    connection = duckdb.connect()
    with open("lake.sql", encoding="utf-8") as file:
        connection.execute(file.read())
    connection.execute("SET TimeZone = 'UTC'")
    print(json.dumps([answer(connection, text) for text in questions]))


main()
