"""Asks with SQLAlchemy, pandas and asyncpg over the PostgreSQL protocol, and prints what came back as JSON."""

import asyncio
import datetime
import json
import sys

import asyncpg
import pandas
import sqlalchemy
from sqlalchemy import text

given = json.loads(sys.argv[1])
url = sqlalchemy.URL.create(
    "postgresql+psycopg",
    username=given["user"],
    password=given["password"],
    host=given["host"],
    port=given["port"],
    database="phananh",
)
engine = sqlalchemy.create_engine(url)
inspector = sqlalchemy.inspect(engine)
keys = [inspector.get_pk_constraint("complaints")["constrained_columns"]]
for get in ("get_foreign_keys", "get_indexes", "get_unique_constraints", "get_check_constraints"):
    keys.append(getattr(inspector, get)("complaints"))
reflected = sqlalchemy.MetaData()
reflected.reflect(engine)
said = {
    "tables": sorted(inspector.get_table_names()),
    "tables_of_schema": sorted(inspector.get_table_names(schema="public")),
    "views": inspector.get_view_names(),
    "has": [inspector.has_table("complaints"), inspector.has_table("nothing")],
    "columns": {column["name"]: str(column["type"]) for column in inspector.get_columns("complaints")},
    "nullable": {column["name"]: column["nullable"] for column in inspector.get_columns("complaints")},
    "schemas": inspector.get_schema_names(),
    "keys": keys,
    "comment": inspector.get_table_comment("units")["text"],
    "comments": {column["name"]: column["comment"] for column in inspector.get_columns("units", schema="public")},
    "reflected": sorted(reflected.tables),
    "units": list(pandas.read_sql_table("units", engine).columns),
}
with engine.connect() as connection:
    frame = pandas.read_sql(
        text("SELECT received_on, kind, cost_vnd FROM complaints WHERE received_on >= :day ORDER BY received_on LIMIT 5"),
        connection,
        params={"day": datetime.date(2000, 1, 1)},
    )
    said["frame"] = [list(frame.columns), len(frame)]
    complaints = sqlalchemy.Table("complaints", sqlalchemy.MetaData(), autoload_with=connection)
    count = sqlalchemy.select(sqlalchemy.func.count()).select_from(complaints).where(complaints.c.kind == "CONDUCT")
    said["conduct"] = connection.execute(count).scalar_one()
    # A pattern with a slash and an underscore, which SQLAlchemy escapes.
    escaped = [complaints.c.kind.startswith(begin, autoescape=True) for begin in ("COND", "CON_UCT", "CON/DUCT")]
    said["escaped"] = [
        connection.execute(sqlalchemy.select(sqlalchemy.func.count()).where(begins)).scalar_one() for begins in escaped
    ]
with engine.connect().execution_options(stream_results=True) as connection:
    chunks = pandas.read_sql(text("SELECT complaint FROM complaints"), connection, chunksize=400)
    said["chunks"] = [len(chunk) for chunk in chunks]
said["whole"] = len(pandas.read_sql("SELECT complaint FROM complaints", engine))


async def asks():
    where = {name: given[name] for name in ("host", "port", "user", "password")}
    connection = await asyncpg.connect(database="phananh", **where)
    row = await connection.fetchrow(
        "SELECT COUNT(*) AS n, MIN(received_on) AS first FROM complaints WHERE kind = $1", "CONDUCT"
    )
    fine = {"n": row["n"], "first": type(row["first"]).__name__}
    try:
        await connection.fetch("SELECT nothing FROM complaints")
    except asyncpg.PostgresError as error:
        fine["error"] = error.sqlstate
    await connection.close()
    return fine


said["asyncpg"] = asyncio.run(asks())
print(json.dumps(said, default=str))
