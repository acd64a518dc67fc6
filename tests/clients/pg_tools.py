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
said = {
    "tables": sorted(inspector.get_table_names()),
    "columns": {column["name"]: str(column["type"]) for column in inspector.get_columns("complaints")},
}
with engine.connect() as connection:
    frame = pandas.read_sql(
        text("SELECT received_on, kind, cost_vnd FROM complaints WHERE received_on >= :day ORDER BY received_on LIMIT 5"),
        connection,
        params={"day": datetime.date(2000, 1, 1)},
    )
    said["frame"] = [list(frame.columns), len(frame)]
    complaints = sqlalchemy.table("complaints", sqlalchemy.column("kind"))
    count = sqlalchemy.select(sqlalchemy.func.count()).select_from(complaints).where(complaints.c.kind == "CONDUCT")
    said["conduct"] = connection.execute(count).scalar_one()
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
