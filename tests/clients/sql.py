"""Asks a server in SQL with pandas, polars, DuckDB and pyarrow, one line each, and says what they read: one JSON document."""

import io
import json
import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import duckdb
import pandas
import polars
import pyarrow.ipc
import pyarrow.parquet

given = json.loads(sys.argv[1])
url = given["address"] + "/sql"
headers = {"Authorization": "Bearer " + given["token"]}


def ask(sql, accept):
    request = Request(url, sql.encode(), {**headers, "Content-Type": "application/sql", "Accept": accept})
    return urlopen(request)


sql = given["sql"]
arrow = "application/vnd.apache.arrow.stream"
parquet = "application/vnd.apache.parquet"

by_url = pandas.read_csv(url + "?" + urlencode({"query": sql, "format": "csv"}), storage_options=headers)
by_polars = polars.read_ipc_stream(ask(sql, arrow).read())
parquet_by_polars = polars.read_parquet(io.BytesIO(ask(sql, parquet).read()))
answer = pyarrow.ipc.open_stream(ask(sql, arrow)).read_all()
by_duckdb = duckdb.sql("SELECT SUM(n) AS n, COUNT(*) AS kinds FROM answer").fetchall()[0]
parquet_by_pyarrow = pyarrow.parquet.read_table(io.BytesIO(ask(sql, parquet).read()))
about = pyarrow.parquet.read_metadata(io.BytesIO(ask(sql, parquet).read())).metadata

said = {
    "pandas": [[row.kind, int(row.n)] for row in by_url.itertuples()],
    "polars": [[kind, n] for kind, n in by_polars.select("kind", "n").rows()],
    "polarsParquet": [[kind, n] for kind, n in parquet_by_polars.select("kind", "n").rows()],
    "arrow": [[row["kind"], row["n"]] for row in answer.to_pylist()],
    "parquet": [[row["kind"], row["n"]] for row in parquet_by_pyarrow.to_pylist()],
    "duckdb": [int(by_duckdb[0]), by_duckdb[1]],
    "types": [str(field.type) for field in answer.schema],
    "about": {key.decode(): value.decode() for key, value in about.items() if key.startswith(b"phananh")},
    "arrowAbout": {key.decode(): value.decode() for key, value in (answer.schema.metadata or {}).items()},
}

# An answer that the server aborts is an error of the client, and no short table.
try:
    ask(given["endless"], "text/csv").read()
    said["aborted"] = "read to its end"
except HTTPError as error:
    said["aborted"] = f"refused before it began: {error.code}"
except Exception as error:
    said["aborted"] = type(error).__name__
print(json.dumps(said))
