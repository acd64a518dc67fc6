"""Reads an export in each form and says what it holds: one JSON document."""

import json
import sys

import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

folder = sys.argv[1]
tables = {
    "csv": pyarrow.csv.read_csv(f"{folder}/complaints.csv"),
    "parquet": pyarrow.parquet.read_table(f"{folder}/complaints.parquet"),
    "arrow": pyarrow.ipc.open_file(f"{folder}/complaints.arrow").read_all(),
}
said = {}
for form, table in tables.items():
    rows = table.to_pylist()
    listed = [name for row in rows for name in (row["officers"].split(";") if form == "csv" else row["officers"]) if name]
    said[form] = {
        "columns": table.column_names,
        "rows": len(rows),
        "cost": sum(row["cost_vnd"] or 0 for row in rows),
        "complaints": len({row["complaint"] for row in rows}),
        "enterprises": sorted({row["enterprise"] for row in rows if row["enterprise"]}),
        "officers": sorted(set(listed)),
        "first": rows[0]["received_at"].isoformat(),
        "inOrder": all(a["received_at"] <= b["received_at"] for a, b in zip(rows, rows[1:])),
    }
said["about"] = {
    key.decode(): value.decode()
    for key, value in pyarrow.parquet.read_metadata(f"{folder}/complaints.parquet").metadata.items()
    if key.startswith(b"phananh")
}
print(json.dumps(said))
