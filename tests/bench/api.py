#!/usr/bin/env python3
"""A page of complaints, statistics and subscribers, against PostGraphile, pgbench, PostgreSQL and DuckDB.

    python3 tests/bench/api.py --program target/release/phananh [--complaints 1000000] [--seconds 8]
                               [--database URL of a database that this bench filled before]

Needs PostgreSQL with pgbench, wrk, Node.js and duckdb (pip install duckdb). Everything runs on this machine, the load
beside the server. Prints one JSON document; docs/benchmarks.md has the numbers of one run.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from common.databases import SERVER, psql
from common.peers import HERE, STATES, installed, node, pgbench, postgraphile, prepared
from common.processes import cpu_seconds, family_mb, of_postgres
from common.register import knows_setting, post
from common.wrk import wrk


def timed(runs, work):
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(took), 1)


def at_once(number, work):
    threads = [threading.Thread(target=work) for _ in range(number)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round((time.perf_counter() - began) * 1000, 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--complaints", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--server", default=SERVER)
    parser.add_argument("--database")
    args = parser.parse_args()
    url = args.database
    # Node's client does not encrypt by itself, libpq's does: none does here.
    os.environ["PGSSLMODE"] = "disable"
    if not url:
        url = args.server.rsplit("/", 1)[0] + "/phananh_bench_api"
        psql(args.server, "DROP DATABASE IF EXISTS phananh_bench_api")
        psql(args.server, "CREATE DATABASE phananh_bench_api TEMPLATE template0 ENCODING 'UTF8'")
        subprocess.run([args.program, "--database", url, "generate", "--complaints", str(args.complaints), "--seed", "1"], check=True, stdout=subprocess.DEVNULL)
        psql(url, "VACUUM ANALYZE")
    folder = tempfile.mkdtemp()
    departments = prepared(url)
    result = {"complaints": int(psql(url, "SELECT count(*) FROM complaints"))}

    def token(role, unit=None):
        command = [args.program, "--database", url, "token", "create", "--name", f"bench {role} {time.time()}", "--role", role, "--format", "json"]
        return json.loads(subprocess.run(command + (["--unit", unit] if unit else []), check=True, capture_output=True).stdout)["token"]

    board, intake = token("BOARD"), token("INTAKE")
    heads = [token("UNIT_HEAD", code) for _, code in departments]
    config = pathlib.Path(folder) / "phananh.toml"
    # What is measured of statistics is the computation.
    cache = "[api]\nstatistics_cache_mb = 0\n" if knows_setting(args.program, "statistics_cache_mb") else ""
    config.write_text(f"{cache}[api.limits]\nrequests_per_minute = 4000000000\nsubscriptions = 100000\ngroups = 100000\ndeadline_ms = 60000\n")
    began = time.perf_counter()
    server = subprocess.Popen([args.program, "--database", url, "--config", config, "serve", "--listen", "127.0.0.1:0", "--no-jobs"], stdout=subprocess.PIPE, text=True)
    address = server.stdout.readline().split()[1]
    result["readyAfterSeconds"] = round(time.perf_counter() - began, 1)
    result["idleMb"] = family_mb(server.pid)
    # What COPY needs for the same columns.
    columns = "id, received_at, department_id, branch_id, team_id, unit_id, category_id, channel, state, state_since, enterprise_id, cost_vnd, delay_hours, blames_system, confidential, finding, decided_on"
    copying = time.perf_counter()
    for sql in [f"COPY (SELECT {columns} FROM complaints ORDER BY id) TO STDOUT (FORMAT binary)", "COPY (SELECT complaint_id, officer_id, finding, decided_on FROM complaint_officers) TO STDOUT (FORMAT binary)", "COPY (SELECT complaint_id, min(responded_at) FROM unit_responses GROUP BY 1) TO STDOUT (FORMAT binary)"]:
        subprocess.run(["psql", url, "-Xqc", sql], check=True, stdout=subprocess.DEVNULL)
    result["copySeconds"] = round(time.perf_counter() - copying, 1)
    ours = f"{address}/graphql"
    page = (HERE / "page.graphql").read_text()

    def bodies(one):
        return [{"query": page, "variables": {"department": code, "state": state}} for code in one for state in STATES]

    def headers(whose):
        return {"content-type": "application/json", "authorization": f"Bearer {whose}"}

    # Each page by the head of its province: as many as there are, as in a working day.
    of_heads = [head for head in heads for _ in STATES]
    result["page"] = {"ours": {}, "unitHead": {}, "postgraphile": {}, "pgbenchJson": {}}
    for connections in (1, 8, 32):
        server_before, database_before = cpu_seconds([server.pid]), cpu_seconds(of_postgres())
        result["page"]["ours"][connections] = wrk(ours, connections, args.seconds, bodies([code for _, code in departments]), headers(board))
        of_ours = result["page"]["ours"][connections]
        pages = of_ours["perSecond"] * args.seconds
        of_ours["cpuMsPerPage"] = round((cpu_seconds([server.pid]) - server_before) * 1000 / pages, 2)
        of_ours["postgresMsPerPage"] = round((cpu_seconds(of_postgres()) - database_before) * 1000 / pages, 2)
        result["page"]["unitHead"][connections] = wrk(ours, connections, args.seconds, bodies([code for _, code in departments]), headers(board), of_heads)
    result["page"]["memoryMb"] = family_mb(server.pid)

    packages = installed(folder)
    all_bodies = pathlib.Path(folder) / "bodies.json"
    all_bodies.write_text(json.dumps(bodies([code for _, code in departments])))

    def at_rate(rate, target, bodies, *token):
        out = subprocess.run([node(packages), "rate.mjs", target, str(rate), str(args.seconds), str(bodies), *token], cwd=packages, check=True, capture_output=True, text=True).stdout
        return json.loads(out)

    result["page"]["atRate"] = {rate: {"ours": at_rate(rate, ours, all_bodies, board)} for rate in (200, 400)}
    with postgraphile(packages, url, 5678, departments) as peer:
        for connections in (1, 8, 32):
            result["page"]["postgraphile"][connections] = wrk(peer.url, connections, args.seconds, peer.bodies, {"content-type": "application/json"})
        their_bodies = pathlib.Path(folder) / "theirs.json"
        their_bodies.write_text(json.dumps(peer.bodies))
        for rate in (200, 400):
            result["page"]["atRate"][rate]["postgraphile"] = at_rate(rate, peer.url, their_bodies)
        result["page"]["postgraphileMb"] = family_mb(peer.pid)
        peer.check()
    for connections in (1, 8, 32):
        result["page"]["pgbenchJson"][connections] = pgbench(url, connections, args.seconds, departments)

    # Statistics: province × category × month.
    everything = "complaints episodes distinctEnterprises distinctOfficers costVnd delayHours shareAnsweredInTime medianDaysToResponse"

    def statistic(measures, arguments=""):
        query = f"{{ complaintStatistics(groupBy: [DEPARTMENT, CATEGORY, MONTH], first: 1{arguments}) {{ groupCount rows {{ {measures} }} }} }}"
        return lambda: post(ours, board, query)["data"]["complaintStatistics"]["groupCount"]

    some = f', filter: {{unitWithin: "{departments[3][1]}", receivedFrom: "2025-01-01T00:00:00+07:00", receivedBefore: "2026-01-01T00:00:00+07:00"}}'
    sql_all = "SELECT c.department_id, c.category_id, date_trunc('month', c.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS m, count(*), count(DISTINCT coalesce(e.group_code, left(e.tax_code, 10))), sum(c.cost_vnd), sum(c.delay_hours) FROM complaints c LEFT JOIN enterprises e ON e.id = c.enterprise_id {} GROUP BY 1, 2, 3"
    sql_count = "SELECT department_id, category_id, date_trunc('month', received_at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS m, count(*) FROM complaints {} GROUP BY 1, 2, 3"
    where = f"WHERE c.department_id = '{departments[3][0]}' AND c.received_at >= '2025-01-01 00:00+07' AND c.received_at < '2026-01-01 00:00+07'"

    def in_postgres(sql):
        plan = json.loads(psql(url, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + sql))
        return plan[0]["Execution Time"]

    statistic(everything)()
    result["statistics"] = {
        "groups": statistic(everything)(),
        "allMeasures": {"oursMs": timed(7, statistic(everything)), "eightAtOnceMs": at_once(8, statistic(everything))},
        "fourMeasures": {"oursMs": timed(7, statistic("complaints distinctEnterprises costVnd delayHours")), "postgresMs": round(statistics.median(in_postgres(sql_all.format("")) for _ in range(3)), 1)},
        "countsOnly": {"oursMs": timed(7, statistic("complaints")), "postgresMs": round(statistics.median(in_postgres(sql_count.format("")) for _ in range(3)), 1)},
        "filtered": {"oursMs": timed(15, statistic("complaints distinctEnterprises costVnd delayHours", some)), "postgresMs": round(statistics.median(in_postgres(sql_all.format(where)) for _ in range(5)), 1)},
    }
    try:
        import duckdb

        db = duckdb.connect(config={"threads": 2})
        table = pathlib.Path(folder) / "facts.csv"
        with open(table, "w") as out:
            subprocess.run(["psql", url, "-Xqc", "COPY (SELECT u.code AS department, k.code AS category, to_char(c.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-01') AS month, coalesce(e.group_code, left(e.tax_code, 10)) AS enterprise, c.cost_vnd, c.delay_hours FROM complaints c LEFT JOIN enterprises e ON e.id = c.enterprise_id LEFT JOIN units u ON u.id = c.department_id LEFT JOIN issue_categories k ON k.id = c.category_id) TO STDOUT (FORMAT csv, HEADER)"], check=True, stdout=out)
        db.execute(f"CREATE TABLE f AS SELECT dense_rank() OVER (ORDER BY department) AS d, dense_rank() OVER (ORDER BY category) AS k, month::DATE AS m, CASE WHEN enterprise IS NULL THEN NULL ELSE dense_rank() OVER (ORDER BY enterprise) END AS e, cost_vnd, delay_hours FROM read_csv('{table}', all_varchar = false)")
        run = lambda sql: timed(7, lambda: db.execute(sql).fetchall() and None)  # noqa: E731
        result["statistics"]["fourMeasures"]["duckdbMs"] = run("SELECT count(*) FROM (SELECT d, k, m, count(*), count(DISTINCT e), sum(cost_vnd), sum(delay_hours) FROM f GROUP BY ALL)")
        result["statistics"]["countsOnly"]["duckdbMs"] = run("SELECT count(*) FROM (SELECT d, k, m, count(*) FROM f GROUP BY ALL)")
    except ImportError:
        result["statistics"]["duckdb"] = "not installed"

    # From a write to its being seen.
    submit = "mutation($i: SubmitComplaintInput!) { submitComplaint(input: $i) { position } }"
    waits = []
    for n in range(20):
        position = post(ours, intake, submit, {"i": {"idempotencyKey": f"{time.time()}-{n}", "text": "x"}})["data"]["submitComplaint"]["position"]
        began = time.perf_counter()
        while post(ours, board, "{ complaintStatistics(first: 0) { position } }")["data"]["complaintStatistics"]["position"] < position:
            pass
        waits.append((time.perf_counter() - began) * 1000)
    result["seenAfterMs"] = {"median": round(statistics.median(waits), 1), "worst": round(max(waits), 1)}
    holding = subprocess.run([node(packages), HERE / "hold.mjs", f"{address.replace('http', 'ws')}/graphql/ws", board, ours, intake, "2000"], cwd=packages, capture_output=True, text=True)
    result["subscribers"] = json.loads(holding.stdout or '{"error": true}')
    result["subscribers"]["memoryMb"] = family_mb(server.pid)
    server.send_signal(signal.SIGTERM)
    server.wait()
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
