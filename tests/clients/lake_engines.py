"""Reads a lake with the statements that it has for an engine, in the folder of the lake, and prints for each table its
number of rows, and of complaints the sum of the cost, and the first and last day and time of receipt, as JSON. With
questions it prints the rows of each one instead.

lake_engines.py FOLDER duckdb [QUESTION...]
lake_engines.py FOLDER datafusion [QUESTION...]
lake_engines.py FOLDER clickhouse [QUESTION...]
lake_engines.py FOLDER spark sc://HOST:PORT [QUESTION...]
"""

import datetime
import decimal
import json
import os
import sys

MEASURES = """SELECT SUM(cost_vnd) AS cost, MIN(received_on) AS first_day, MAX(received_on) AS last_day,
    MIN(received_at) AS first_time, MAX(received_at) AS last_time,
    SUM(CASE WHEN confidential THEN 1 ELSE 0 END) AS confidential, SUM(delay_hours) AS hours FROM complaints"""


def tables():
    with open("manifest.json", encoding="utf-8") as file:
        return sorted(json.load(file)["tables"])


def statements(engine):
    with open(f"lake.{engine}.sql", encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("--")]
    return [one.strip() for one in "".join(lines).split(";\n") if one.strip()]


def plain(value):
    """The same value whatever class the engine has for it."""
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return aware.astimezone(datetime.timezone.utc).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        assert value == int(value), value
        return int(value)
    return round(value, 6) if isinstance(value, float) else value


def in_duckdb():
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for statement in statements("duckdb"):
        connection.execute(statement)

    def ask(query):
        found = connection.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row)) for row in found.fetchall()]

    return ask


def in_datafusion():
    import datafusion

    context = datafusion.SessionContext()
    for statement in statements("datafusion"):
        context.sql(statement)
    return lambda query: context.sql(query).to_pylist()


def in_clickhouse():
    from chdb import session

    clickhouse = session.Session()
    # The columns of instants have a zone of their own.
    clickhouse.query("SET session_timezone = 'Asia/Ho_Chi_Minh'")
    clickhouse.query("SET date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0")
    for statement in statements("clickhouse"):
        clickhouse.query(statement)

    def cell(of, value):
        of = of.removeprefix("Nullable(")
        if value is not None and of.startswith("DateTime64"):
            return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return float(value) if value is not None and of.startswith("Float") else value

    def ask(query):
        answer = json.loads(clickhouse.query(query, "JSONCompact").bytes())
        columns = answer["meta"]
        return [{of["name"]: cell(of["type"], value) for of, value in zip(columns, row)} for row in answer["data"]]

    return ask


def in_spark(address):
    # The client looks for a Spark of this machine, which it does not need.
    os.environ.setdefault("SPARK_HOME", os.path.dirname(os.path.abspath(__file__)))
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.builder.remote(address).getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    for statement in statements("spark"):
        # The path of a view is that of the folder: the cluster works in another one.
        session.sql(statement.replace("path '", f"path '{os.getcwd()}/"))
    return lambda query: session.sql(query).toArrow().to_pylist()


def main():
    folder, engine, *rest = sys.argv[1:]
    os.environ["TZ"] = "UTC"
    os.chdir(folder)
    engines = {"duckdb": in_duckdb, "datafusion": in_datafusion, "clickhouse": in_clickhouse, "spark": in_spark}
    ask = engines[engine](*([rest.pop(0)] if engine == "spark" else []))
    if rest:
        answers = [[{name: plain(cell) for name, cell in row.items()} for row in ask(question)] for question in rest]
        print(json.dumps(answers))
        return
    rows = {name: ask(f"SELECT COUNT(*) AS n FROM {name}")[0]["n"] for name in tables()}
    print(json.dumps({"rows": rows, "complaints": [plain(value) for value in ask(MEASURES)[0].values()]}))


main()
