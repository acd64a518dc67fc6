"""Other servers of GraphQL over the same tables in PostgreSQL, from the npm registry, and pgbench."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import urllib.request

from common.databases import psql
from common.processes import Failed

HERE = pathlib.Path(__file__).parent.parent / "api"
STATES = ["CLOSED", "ANSWERED", "ASSIGNED"]
JSON = {"content-type": "application/json"}


def prepared(url):
    """Makes a database the same for all sides, and returns id and code of each province. With PostgreSQL's own
    `random_page_cost` a page walks through the complaints of all provinces."""
    name = url.rsplit("/", 1)[1]
    psql(url, f'ALTER DATABASE "{name}" SET random_page_cost = 1.1')
    units = "SELECT id, code FROM units WHERE kind = 'PROVINCIAL_DEPARTMENT' ORDER BY code"
    psql(url, "DROP TABLE IF EXISTS bench_departments")
    numbered = f"SELECT row_number() OVER (ORDER BY code)::int AS n, id FROM ({units}) u"
    psql(url, f"CREATE TABLE bench_departments AS {numbered}")
    psql(url, "ANALYZE bench_departments")
    return [row.split("|") for row in psql(url, units).splitlines()]


def installed(folder, name=""):
    """A copy of the files of a peer with its packages."""
    target = pathlib.Path(folder) / f"peer-{name}"
    shutil.copytree(HERE / name, target)
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    subprocess.run(command, cwd=target, check=True, stdout=subprocess.DEVNULL)
    return target


def node(packages):
    """Node.js of the version that the packages need, or that of the machine."""
    own = packages / "node_modules" / ".bin" / "node"
    return own if own.exists() else "node"


class Peer:
    """A server in Node.js with two workers, which ends with the `with` block. `bodies` are its pages."""

    def __init__(self, packages, url, port, script, arguments, bodies):
        self.url, self.bodies = f"http://127.0.0.1:{port}/graphql", bodies
        environment = {**os.environ, "GRAPHILE_ENV": "production", "PGSSLMODE": "disable"}
        command = [node(packages), script, url, str(port), *arguments]
        self.process = subprocess.Popen(
            command, cwd=packages, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
        )
        self.pid = self.process.pid
        for _ in range(2):
            if self.process.stdout.readline().strip() != "ready":
                self.end()
                raise Failed(f"{script} did not start")
        self.check()

    def check(self):
        """Fails unless an answer is a page: a server that answers each request with an error would look fast."""
        found = 0
        for body in self.bodies[: len(STATES)]:
            request = urllib.request.Request(self.url, json.dumps(body).encode(), JSON)
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read().decode()
            if '"errors"' in text:
                self.end()
                raise Failed(f"{self.url} answers with an error: {text[:300]}")
            found = max(found, text.count('"receivedAt"'))
        if not found:
            self.end()
            raise Failed(f"{self.url} answers with pages without complaints")

    def end(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            print(f"{self.url} had ended by itself", file=sys.stderr)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def postgraphile(packages, url, port, departments):
    """PostGraphile 5, which finds the operation by its id."""
    variables = [{"department": uuid, "state": state} for uuid, _ in departments for state in STATES]
    bodies = [{"id": "page", "documentId": "page", "variables": of} for of in variables]
    return Peer(packages, url, port, "postgraphile.mjs", ["page-postgraphile.graphql"], bodies)


def openreader(packages, url, port, departments):
    """OpenReader, which makes one SQL statement of an operation."""
    psql(url, (HERE / "openreader" / "views.sql").read_text())
    query = (HERE / "openreader" / "page.graphql").read_text()
    variables = [{"department": uuid, "state": state} for uuid, _ in departments for state in STATES]
    return Peer(packages, url, port, "openreader.mjs", [], [{"query": query, "variables": of} for of in variables])


def pgbench(url, connections, seconds, departments):
    """Pages a second, as JSON by one prepared statement without HTTP."""
    command = ["pgbench", "-n", "-M", "prepared", "-c", connections, "-j", "2", "-T", seconds]
    command += ["-D", f"departments={len(departments)}", "-f", HERE / "page.sql", url]
    environment = {**os.environ, "PGSSLMODE": "disable"}
    ran = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, env=environment)
    return {"perSecond": round(float(re.search(r"tps = ([\d.]+)", ran.stdout).group(1)))}
