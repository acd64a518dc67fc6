"""Asks over the PostgreSQL protocol with psycopg, and prints what came back as JSON."""

import datetime
import decimal
import json
import sys
import threading
import time

import psycopg

given = json.loads(sys.argv[1])
SLOW = "SELECT COUNT(*) FROM complaints a, complaints b, complaints c WHERE a.kind || b.kind <> c.kind || a.state"


def connect(**more):
    where = {name: given[name] for name in ("host", "port", "user", "password")}
    return psycopg.connect(dbname="phananh", **where, **more)


def failure(conn, sql, parameters=None):
    try:
        conn.execute(sql, parameters)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def typed(row):
    return [f"{type(value).__name__}:{value}" for value in row]


said = {}
TYPES = """SELECT DATE '2024-01-02', TIMESTAMP '2024-01-02 03:04:05' AT TIME ZONE 'UTC',
    CAST(-12.50 AS DECIMAL(10, 2)), ARRAY['a b', 'c'], CAST(NULL AS BIGINT), true, 1.5, 'đ', COUNT(*)
    FROM complaints WHERE 1 = 0"""
with connect(autocommit=True) as conn:
    for binary in (False, True):
        with conn.cursor(binary=binary) as cursor:
            row = cursor.execute(TYPES).fetchone()
            assert row[0] == datetime.date(2024, 1, 2), row
            utc = datetime.timezone.utc
            assert row[1] == datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=utc), row
            assert row[2] == decimal.Decimal("-12.50"), row
            assert row[3] == ["a b", "c"] and row[4] is None, row
            said["binary" if binary else "text"] = typed(row)
    by_kind = "SELECT kind, COUNT(*) FROM complaints WHERE received_on >= %s AND kind <> %s GROUP BY kind ORDER BY kind"
    day = datetime.date(2000, 1, 1)
    said["kinds"] = conn.execute(by_kind, (day, "CONDUCT")).fetchall()
    # From the sixth time on psycopg prepares the statement.
    again = [conn.execute(by_kind, (day, "CONDUCT"), prepare=True).fetchall() for _ in range(3)]
    assert all([tuple(row) for row in rows] == said["kinds"] for rows in again), again
    said["all"] = conn.execute("SELECT COUNT(*) FROM complaints").fetchone()[0]
    said["parameters"] = typed(
        conn.execute(
            "SELECT %s::BIGINT + 1, %s::DATE, %s::VARCHAR, %b::DOUBLE", (41, day, "it's", 0.5)
        ).fetchone()
    )
    # An amount divided by a parameter is not cut off after some digits.
    by = (decimal.Decimal(1), 8_000_000)
    said["division"] = typed(conn.execute("SELECT CAST(%s AS NUMERIC(18, 0)) / %s AS share", by).fetchone())
    said["errors"] = {
        "syntax": failure(conn, "SELEC 1"),
        "table": failure(conn, "SELECT * FROM nowhere"),
        "column": failure(conn, "SELECT nothing FROM complaints"),
        "writes": failure(conn, "DELETE FROM complaints"),
        "parameter": failure(conn, "SELECT %b::BIGINT", ("x",)),
        "copy": failure(conn, "COPY complaints TO STDOUT"),
    }
    said["settings"] = [
        conn.execute(f"SHOW {name}").fetchone()[0]
        for name in ("server_version_num", "transaction isolation level", "timezone")
    ]
with connect() as conn:
    conn.execute("SELECT 1")
    states = [conn.info.transaction_status.name]
    failure(conn, "SELECT nothing FROM complaints")
    states.append(conn.info.transaction_status.name)
    states.append(failure(conn, "SELECT 1"))
    conn.rollback()
    states.append(conn.info.transaction_status.name)
    said["transaction"] = states
COMPLAINTS = "SELECT complaint, received_on FROM complaints WHERE received_on >= %s ORDER BY received_on, complaint"
with connect() as conn:
    everything = conn.execute(COMPLAINTS, (day,)).fetchall()
    for binary in (False, True):
        with conn.cursor("My cursor", binary=binary) as cursor:
            cursor.execute(COMPLAINTS, (day,))
            assert [column.name for column in cursor.description] == ["complaint", "received_on"]
            parts = [cursor.fetchmany(100), cursor.fetchone()]
            cursor.scroll(9)
            rest = cursor.fetchall()
            assert parts == [everything[:100], everything[100]] and rest == everything[110:], (parts, len(rest))
    with conn.cursor("iterated") as cursor:
        cursor.itersize = 64
        assert list(cursor.execute(COMPLAINTS, (day,))) == everything
    conn.execute("DECLARE c CURSOR FOR SELECT 1 AS one")
    conn.execute("COMMIT")
    said["cursors"] = {"after_commit": failure(conn, "FETCH 1 FROM c")}
    conn.rollback()
    for name, statements in {
        "scroll": ["DECLARE c SCROLL CURSOR FOR SELECT 1"],
        "hold": ["DECLARE c CURSOR WITH HOLD FOR SELECT 1"],
        "backward": ["DECLARE c CURSOR FOR SELECT 1", "FETCH BACKWARD 1 FROM c"],
        "twice": ["DECLARE c CURSOR FOR SELECT 1", "DECLARE c CURSOR FOR SELECT 2"],
        "column": ["DECLARE c CURSOR FOR SELECT nothing FROM complaints"],
        "closed": ["DECLARE c CURSOR FOR SELECT 1", "CLOSE c", "FETCH 1 FROM c"],
        "too_many": [f"DECLARE c{number} CURSOR FOR SELECT {number}" for number in range(9)],
    }.items():
        codes = [failure(conn, statement) for statement in ["SELECT 1", *statements]]
        said["cursors"][name] = [code for code in codes if code][:1]
        conn.rollback()
with connect(autocommit=True) as conn:
    said["cursors"]["no_transaction"] = failure(conn, "DECLARE c CURSOR FOR SELECT 1")
    threading.Timer(1, conn.cancel).start()
    began = time.monotonic()
    said["cancelled"] = failure(conn, SLOW)
    said["seconds"] = time.monotonic() - began
    said["afterwards"] = conn.execute("SELECT 1").fetchone()[0]
    conn.execute("SET statement_timeout = '500ms'")
    began = time.monotonic()
    said["timeout"] = [failure(conn, SLOW), time.monotonic() - began < 5]
print(json.dumps(said, default=str))
