"""Answers the questions of docs/questions.md over a lake.

questions.py LAKE DOCS     prints for each question its SQL as DuckDB answers it, and its line of polars, as JSON
"""

import datetime
import decimal
import glob
import json
import math
import os
import re
import sys

import duckdb


def plain(cell):
    """A cell as JSON has it."""
    if isinstance(cell, decimal.Decimal):
        return float(cell)
    if isinstance(cell, (datetime.date, datetime.datetime)):
        return cell.isoformat()
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell


def question(path):
    """The text of a file, and the defaults of its parameters."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    defaults = {}
    while text.startswith("--"):
        line, text = text.split("\n", 1)
        declared = re.match(r"-- parameter (\w+) DATE = (\S+)", line)
        if declared:
            defaults[declared[1]] = datetime.date.fromisoformat(declared[2])
    return text, defaults


def by_duckdb(lake, path):
    connection = duckdb.connect()
    with open(os.path.join(lake, "lake.sql"), encoding="utf-8") as file:
        connection.execute(file.read())
    found = connection.execute(*question(path))
    names = [column[0] for column in found.description]
    return {"columns": names, "rows": [[plain(cell) for cell in row] for row in found.fetchall()]}


def main():
    lake, docs = map(os.path.abspath, sys.argv[1:])
    os.chdir(lake)
    with open(os.path.join(docs, "questions.md"), encoding="utf-8") as file:
        sections = re.split(r"^## ", file.read(), flags=re.MULTILINE)
    block = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
    setup = next(section for section in sections if section.startswith("Polars"))
    names = {}
    exec(block.search(setup)[1], names)
    answers = {}
    for path in sorted(glob.glob(os.path.join(docs, "questions", "*.sql"))):
        file = os.path.basename(path)
        section = next(section for section in sections if f"(questions/{file})" in section)
        exec(block.search(section)[1], names)
        answer = names.pop("answer")
        answers[file[3:-4]] = {
            "duckdb": by_duckdb(lake, path),
            "polars": {"columns": answer.columns, "rows": [[plain(cell) for cell in row] for row in answer.rows()]},
        }
    print(json.dumps(answers))


main()
