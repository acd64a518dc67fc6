"""The program, and a server of it."""

import http.client
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from common.processes import Failed, measured

# Limits that a benchmark would measure instead of the server.
LIMITS = """[api.limits]
requests_per_minute = 4000000000
groups = 100000
deadline_ms = 60000
"""


class Program:
    """The built program with a database."""

    def __init__(self, path, database):
        self.path, self.database = pathlib.Path(path).resolve(), database

    def run(self, *arguments, seconds=None):
        """Runs a command, at most so many seconds: its time, memory and output."""
        command = [self.path, "--database", self.database, "--format", "json", *arguments]
        return measured(command, seconds, env={**os.environ, "PGSSLMODE": "disable"})

    def generate(self, complaints, seconds=None):
        return self.run("generate", "--complaints", complaints, "--seed", "1", seconds=seconds)

    def token(self, role, unit=None):
        name = f"bench {role} {unit} {time.time()}"
        made = self.run("token", "create", "--name", name, "--role", role, *(["--unit", unit] if unit else []))
        return json.loads(made.out)["token"]


class Server:
    """A server of a program, which ends with the `with` block. `api` are settings of `[api]`, `more` other tables, and
    `arguments` further ones of the command."""

    def __init__(self, program, folder, api=None, more="", seconds=600, arguments=()):
        lines = ["[api]", *(f"{name} = {value}" for name, value in (api or {}).items()), LIMITS, more]
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".toml", delete=False) as config:
            config.write("\n".join(lines))
        self.log = pathlib.Path(f"{config.name}.log")
        command = [program.path, "--database", program.database, "--config", config.name]
        command += ["serve", "--listen", "127.0.0.1:0", "--no-jobs", *arguments]
        environment = {**os.environ, "PGSSLMODE": "disable", "RUST_LOG": "warn,jobs=info,api::http::preload=info"}
        began = time.perf_counter()
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=folder
            )
        self.pid = self.process.pid
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("address: "):
            self.process.kill()
            self.process.wait()
            raise Failed(f"the server did not start within {seconds} s: {self.log.read_text()[-500:].strip()}")
        self.address = line.split()[1]
        self.url, self.connection = f"{self.address}/graphql", None
        while not self.is_ready():
            time.sleep(0.01)
        self.ready_seconds = time.perf_counter() - began

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=60) as answer:
                return answer.status == 200
        except urllib.error.HTTPError:
            return False

    def data(self, token, query, variables=None):
        """The data of an operation, by one connection that stays open. Raises `Failed` with its errors."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=120)
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        body = json.dumps({"query": query, "variables": variables or {}})
        try:
            self.connection.request("POST", "/graphql", body.encode(), headers)
            answer = json.loads(self.connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as failure:
            self.connection.close()
            self.connection = None
            raise Failed(f"{query[:80]}: {failure!r}") from failure
        if answer.get("errors"):
            raise Failed(f"{query[:80]}: {answer['errors'][0]['message']}")
        return answer["data"]

    def cache_uses(self, token):
        """Hits and misses of each cache since the start, by its name."""
        headers = {"authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.address}/metrics", headers=headers)) as answer:
            text = answer.read().decode()
        uses = {}
        for cache, outcome, number in re.findall(r'phananh_(\w+)_requests_total\{outcome="(\w+)"\} (\d+)', text):
            uses.setdefault(cache, {})[outcome] = int(number)
        return uses

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def post(url, token, query, variables=None):
    """The answer to an operation."""
    body = json.dumps({"query": query, "variables": variables or {}}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as answer:
        return json.loads(answer.read())


def knows_setting(path, name):
    """Whether a program has a setting of `[api]`: a server refuses what it does not know."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            Server(Program(path, f"sqlite:{folder}/probe.db"), folder, {name: 1}, seconds=60).end()
        except Failed as failure:
            if f"`{name}`" in str(failure):
                return False
            raise
        return True


def hit_rates(before, after):
    """The share of hits of each cache between two readings of `Server.cache_uses`; None without uses."""
    rates = {}
    for cache, uses in after.items():
        grown = {outcome: number - before.get(cache, {}).get(outcome, 0) for outcome, number in uses.items()}
        total = sum(grown.values())
        rates[cache] = round(grown.get("hit", 0) / total, 4) if total else None
    return rates


def shares(rates):
    """Hit rates as text."""
    known = {cache.removesuffix("_cache"): rate for cache, rate in rates.items() if rate is not None}
    return ", ".join(f"{cache} {100 * rate:.1f} %" for cache, rate in known.items())
