#!/usr/bin/env python3
"""Memory and threads of a server while 32 connections read and write.

Makes an invented register in a SQLite file, or in a database of its own of the PostgreSQL server that is given, starts the
program, and lets each connection ask for pages (half), statistics (35 %) and submit complaints (15 %). Prints the operations a
second, the memory and the threads of the idle server, their peaks under the load, and the memory a while after it.
Needs nothing but Python, the program, and psql for PostgreSQL.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
import threading
import time
import uuid

from hostile import PAGE, STATISTIC, Client, run, token

SUBMIT = "mutation($input: SubmitComplaintInput!) { submitComplaint(input: $input) { position } }"


def status(pid):
    """Resident megabytes and threads of a process."""
    lines = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["Threads"])


def work(address, tokens, unit, end, counts):
    reader, intake = (Client(address, token) for token in tokens)
    chance = random.Random(threading.get_ident())
    while time.monotonic() < end:
        which = chance.random()
        if which < 0.5:
            kind, answer = "pages", reader.post(json.dumps({"query": PAGE % unit}))
        elif which < 0.85:
            kind, answer = "statistics", reader.post(json.dumps({"query": STATISTIC}))
        else:
            submitted = {"idempotencyKey": str(uuid.uuid4()), "text": "chờ lâu", "unit": unit}
            kind, answer = "writes", intake.post(json.dumps({"query": SUBMIT, "variables": {"input": submitted}}))
        counts[kind if answer[0] == 200 and b'"errors"' not in answer[1] else "failures"] += 1


def measure(program, database, folder, asked):
    run(program, database, "generate", "--complaints", asked.complaints, "--seed", "5")
    # A pair for each connection: the limit of requests of one token would be measured instead.
    pairs = [[token(program, database, f"{role} {nth}", role) for role in ("BOARD", "INTAKE")] for nth in range(32)]
    environment = {**os.environ, "PHANANH_DATABASE_URL": database}
    server = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0", "--no-jobs"], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder)
    try:
        address = server.stdout.readline().split("http://")[1].strip()
        found = json.loads(Client(address, pairs[0][0]).post(json.dumps(
            {"query": "{ units(filter: {kind: {eq: BRANCH}}, first: 1) { nodes { code } } }"}))[1])
        unit = found["data"]["units"]["nodes"][0]["code"]
        time.sleep(3)
        idle = status(server.pid)
        counts = {"pages": 0, "statistics": 0, "writes": 0, "failures": 0}
        end = time.monotonic() + asked.seconds
        threads = [threading.Thread(target=work, args=(address, pair, unit, end, counts)) for pair in pairs]
        [thread.start() for thread in threads]
        peak = idle
        while time.monotonic() < end:
            now = status(server.pid)
            peak = (max(peak[0], now[0]), max(peak[1], now[1]))
            time.sleep(0.1)
        [thread.join() for thread in threads]
        time.sleep(5)
        after = status(server.pid)
        done = sum(counts.values()) / asked.seconds
        print(f"{database.split(':')[0]}: {done:.0f} operations a second, {counts}")
        print(f"  idle {idle[0]:.0f} MB, {idle[1]} threads; peak {peak[0]:.0f} MB ({peak[0] / idle[0]:.1f} x), {peak[1]} threads;"
              f" afterwards {after[0]:.0f} MB, {after[1]} threads")
    finally:
        server.terminate()
        server.wait()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--complaints", default="100000")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--postgres", help="the URL of a server on which a database is made, and dropped afterwards")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(asked.program, f"sqlite:{folder}/storm.db", folder, asked)
        if asked.postgres:
            name = f"storm_{uuid.uuid4().hex[:12]}"
            psql = ["psql", "--quiet", "--no-psqlrc", asked.postgres, "--command"]
            subprocess.run([*psql, f"CREATE DATABASE {name}"], check=True)
            try:
                measure(asked.program, asked.postgres.rsplit("/", 1)[0] + f"/{name}", folder, asked)
            finally:
                subprocess.run([*psql, f"DROP DATABASE {name} WITH (FORCE)"], check=True)


if __name__ == "__main__":
    main()
