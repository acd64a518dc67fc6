#!/usr/bin/env python3
"""How an honest client is served while hostile ones do their worst.

Makes an invented register, starts the program, and measures an honest Board's page (and an honest dashboard's
statistic) alone and beside 50 hostile connections: half-sent requests, statistics in parallel, introspections without
end, fragments that double, patterns, exports that are read slowly. Prints the medians, the 99th percentiles and their
ratios, and how long health checks took. Needs nothing but Python and the program.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time

PAGE = """{ complaints(first: 25, filter: {unit: {within: "%s"}}) { nodes { reference receivedAt state category { nameVi }
  unit { nameVi } enterprise { name } officers { officer { code } } responses(first: 5) { nodes { text } } } } }"""
STATISTIC = "{ complaintStatistics(groupBy: [DEPARTMENT], first: 100) { rows { complaints } } }"
HEAVY = """{ complaintStatistics(groupBy: [BRANCH, CATEGORY, MONTH], first: 1000) { rows { complaints distinctEnterprises
  costVnd delayHours shareAnsweredInTime medianDaysToResponse } } }"""
NESTED = '{ __type(name: "Node") {' + "possibleTypes { interfaces {" * 6 + " name " + "} }" * 6 + "} }"
DOUBLING = "query A { serviceInfo { version } } query B { ...A0 } " + "".join(
    f"fragment A{n} on Query {{ ...A{n + 1} ...A{n + 1} }} " for n in range(50)
) + "fragment A50 on Query { __typename }"
PATTERN = json.dumps({"query": "query($p: String) { complaints(filter: {text: {like: $p}}) { totalCount } }",
                      "variables": {"p": "%a" * 25_000}})


def run(program, database, *arguments):
    environment = {**os.environ, "PHANANH_DATABASE_URL": database}
    done = subprocess.run([program, *arguments], env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def token(program, database, name, role):
    made = run(program, database, "token", "create", "--name", name, "--role", role, "--format", "json")
    return json.loads(made)["token"]


class Client:
    def __init__(self, address, token):
        self.address, self.token = address, token
        self.connection = None

    def post(self, body):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        try:
            self.connection.request("POST", "/graphql", body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return 0, b""


def honest(address, token, query, seconds, times, failures):
    client = Client(address, token)
    body = json.dumps({"query": query})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        status, answer = client.post(body)
        if status == 200 and b'"errors"' not in answer:
            times.append(time.monotonic() - began)
        else:
            failures.append((status, answer[:200]))
        time.sleep(0.01)


def measure(address, tokens, unit, seconds):
    """The times of honest pages, statistics and health checks, in seconds."""
    found = {"page": [], "statistic": [], "health": []}
    failures = []

    def health():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            connection = http.client.HTTPConnection(address, timeout=30)
            try:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    found["health"].append(time.monotonic() - began)
            except (OSError, http.client.HTTPException) as failure:
                failures.append(("health", str(failure)))
            connection.close()
            time.sleep(0.05)

    threads = [
        threading.Thread(target=honest, args=(address, tokens["board"], PAGE % unit, seconds, found["page"], failures)),
        threading.Thread(target=honest, args=(address, tokens["dashboard"], STATISTIC, seconds, found["statistic"], failures)),
        threading.Thread(target=health),
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return found, failures


def attack(address, tokens, stop):
    """50 hostile connections until told to stop."""

    def bodies(token, body):
        client = Client(address, token)
        while not stop.is_set():
            status, _ = client.post(body)
            if status in (0, 429):
                time.sleep(0.05)

    def half_sent():
        while not stop.is_set():
            held = []
            for _ in range(20):
                try:
                    one = socket.create_connection(address.rsplit(":", 1), timeout=10)
                    one.sendall(b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{")
                    held.append(one)
                except OSError:
                    pass
            stop.wait(1)
            [one.close() for one in held]

    def slow_export():
        while not stop.is_set():
            try:
                one = socket.create_connection(address.rsplit(":", 1), timeout=10)
                one.sendall(f"GET /export/complaints.csv HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {tokens['team']}\r\n\r\n".encode())
                while not stop.is_set():
                    if not one.recv(1024):
                        break
                    stop.wait(1)
                one.close()
            except OSError:
                stop.wait(0.2)

    greedy = tokens["greedy"]
    kinds = [(bodies, (greedy, json.dumps({"query": HEAVY})))] * 16
    kinds += [(bodies, (greedy, json.dumps({"query": NESTED})))] * 8
    kinds += [(bodies, (greedy, json.dumps({"query": DOUBLING, "operationName": "A"})))] * 8
    kinds += [(bodies, (tokens["head"], PATTERN))] * 8
    kinds += [(half_sent, ())] * 6 + [(slow_export, ())] * 4
    threads = [threading.Thread(target=kind, args=arguments, daemon=True) for kind, arguments in kinds]
    [thread.start() for thread in threads]
    return threads


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--complaints", default="100000")
    arguments.add_argument("--seconds", type=float, default=20)
    arguments.add_argument(
        "--attackers-nice",
        type=int,
        default=0,
        help="their priority: with 19 they take no processor from the server, and send less where it is busy",
    )
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:{folder}/hostile.db"
        run(asked.program, database, "generate", "--complaints", asked.complaints, "--seed", "5")
        key = f"{folder}/key"
        run(asked.program, database, "key", "create", key)
        roles = {"board": "BOARD", "dashboard": "DASHBOARD", "greedy": "DASHBOARD", "team": "DATA_TEAM", "head": "BOARD"}
        tokens = {name: token(asked.program, database, name, role) for name, role in roles.items()}
        environment = {**os.environ, "PHANANH_DATABASE_URL": database}
        server = subprocess.Popen(
            [asked.program, "serve", "--listen", "127.0.0.1:0", "--no-jobs", "--key-file", key],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        address = server.stdout.readline().split("http://")[1].strip()
        units = Client(address, tokens["board"]).post(json.dumps(
            {"query": "{ units(filter: {kind: {eq: PROVINCIAL_DEPARTMENT}}, first: 1) { nodes { code } } }"}))[1]
        unit = json.loads(units)["data"]["units"]["nodes"][0]["code"]
        measure(address, tokens, unit, 2)
        alone, _ = measure(address, tokens, unit, asked.seconds)
        # A process of their own: the honest clients do not wait for the interpreter.
        stop = multiprocessing.Event()
        def attacks():
            os.nice(asked.attackers_nice)
            [one.join() for one in attack(address, tokens, stop)]

        attackers = multiprocessing.Process(target=attacks)
        attackers.start()
        time.sleep(1)
        beside, failures = measure(address, tokens, unit, asked.seconds)
        stop.set()
        attackers.join(5)
        attackers.kill()
        memory = [line for line in open(f"/proc/{server.pid}/status") if line.startswith(("VmRSS", "VmHWM", "Threads"))]
        server.terminate()

        def percentile(times, share):
            return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000 if times else float("nan")

        print(f"{'':10} {'alone':>20} {'beside 50 hostile':>22} {'p99 ratio':>10}")
        for kind in alone:
            a, b = alone[kind], beside[kind]
            median = [statistics.median(times) * 1000 if times else float("nan") for times in (a, b)]
            late = [percentile(times, 0.99) for times in (a, b)]
            print(f"{kind:10} {median[0]:8.1f} ms {late[0]:6.1f} p99 {median[1]:8.1f} ms {late[1]:7.1f} p99 {late[1] / late[0]:9.1f}")
        print(f"honest requests that failed: {len(failures)} {failures[:2]}")
        print("".join(memory).strip())


if __name__ == "__main__":
    main()
