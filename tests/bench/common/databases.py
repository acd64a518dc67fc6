"""Databases for a benchmark, of either kind, that are dropped after it."""

import os
import pathlib
import subprocess
import uuid

# The server for benchmarks on PostgreSQL.
SERVER = os.environ.get("PHANANH_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def psql(url, sql):
    """The rows that SQL returns, with `|` between columns. Nobody encrypts the connection: Node's clients do not."""
    command = ["psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]
    environment = {"PGSSLMODE": "disable", **os.environ}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


class Sqlite:
    name = "SQLite"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def url(self, name):
        return f"sqlite:{self.folder}/{name}.db"

    def fresh(self):
        """The URL of a database that is not there yet."""
        return self.url(f"bench_{uuid.uuid4().hex[:12]}")

    @staticmethod
    def path(url):
        return pathlib.Path(url.removeprefix("sqlite:"))

    def exists(self, url):
        return self.path(url).exists()

    def settle(self, url):
        """After many rows were stored: nothing to do here."""

    def mb(self, url):
        """The size with the write-ahead log."""
        files = [pathlib.Path(f"{self.path(url)}{suffix}") for suffix in ("", "-wal")]
        return sum(one.stat().st_size for one in files if one.exists()) / 1e6

    def drop(self, url):
        path = self.path(url)
        for one in path.parent.glob(f"{path.name}*"):
            one.unlink()


class Postgres:
    name = "PostgreSQL"

    def __init__(self, server):
        self.server = server

    def url(self, name):
        return f"{self.server.rsplit('/', 1)[0]}/{name}"

    def fresh(self):
        """The URL of a new, empty database."""
        return self.create(f"bench_{uuid.uuid4().hex[:12]}")

    def create(self, name):
        psql(self.server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self.url(name)

    def exists(self, url):
        return psql(self.server, f"SELECT 1 FROM pg_database WHERE datname = '{url.rsplit('/', 1)[1]}'") == "1"

    def settle(self, url):
        """After many rows were stored: what PostgreSQL would do by itself in the next minutes."""
        psql(url, "VACUUM ANALYZE")

    def mb(self, url):
        return int(psql(url, "SELECT pg_database_size(current_database())")) / 1e6

    def drop(self, url):
        psql(self.server, f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")
