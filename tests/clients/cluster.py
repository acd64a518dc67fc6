#!/usr/bin/env python3
"""A cluster of Sail on this machine: one master, and workers in processes of their own.

Sail starts its workers as pods of Kubernetes. This program is a Kubernetes API that knows one thing: a pod that it is
asked to create is a process here. It prints a line of JSON when the cluster answers, {"port": …, "master": PID}, and one
for each worker that starts, {"worker": PID}. It ends, and all with it, when its standard input ends.

A worker that says nothing for some seconds counts as lost. Where the processors are busy with the question itself, more
than the 5 seconds of the tests are needed.

    cluster.py [WORKERS [SECONDS]]
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAIL = [sys.executable, "-m", "pysail"]
STATUS = {"kind": "Status", "apiVersion": "v1"}
MANAGER = "sail.lakesail.com/worker-manager"
processes = []
# The workers of each session, by the name of its manager.
managed = {}
printing = threading.Lock()


def tell(fact):
    with printing:
        print(json.dumps(fact), flush=True)


def start(arguments, environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    process = subprocess.Popen(
        [*SAIL, *arguments],
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    processes.append(process)
    return process


class Pods(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        pod = json.loads(self.rfile.read(int(self.headers["content-length"])))
        container = pod["spec"]["containers"][0]
        # The only value that a pod takes from elsewhere is its address.
        environment = {one["name"]: one.get("value") or "127.0.0.1" for one in container["env"]}
        environment["SAIL_CLUSTER__WORKER_LISTEN_HOST"] = "127.0.0.1"
        worker = start(container["args"], environment)
        of_manager = pod["metadata"]["labels"][MANAGER]
        managed.setdefault(of_manager, []).append(worker)
        threading.Thread(target=worker.wait, daemon=True).start()
        tell({"worker": worker.pid})
        self.reply(201, pod)

    def do_DELETE(self):
        # A session ended: its workers go.
        selectors = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query).get("labelSelector", [])
        for selector in selectors:
            for worker in managed.pop(selector.removeprefix(MANAGER + "="), []):
                worker.kill()
        self.reply(200, {**STATUS, "status": "Success"})

    def do_GET(self):
        self.reply(404, {**STATUS, "status": "Failure", "code": 404, "reason": "NotFound", "message": "no such pod"})


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def end():
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


def main():
    workers = sys.argv[1] if len(sys.argv) > 1 else "2"
    lost_after = sys.argv[2] if len(sys.argv) > 2 else "5"
    atexit.register(end)
    pods = ThreadingHTTPServer(("127.0.0.1", 0), Pods)
    threading.Thread(target=pods.serve_forever, daemon=True).start()
    folder = tempfile.TemporaryDirectory()
    config = os.path.join(folder.name, "kubernetes.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{pods.server_port}"}}],
                "users": [{"name": "nobody", "user": {}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "nobody"}}],
                "current-context": "here",
            },
            file,
        )
    port = free_port()
    environment = {
        "KUBECONFIG": config,
        "RUST_LOG": "warn",
        "SAIL_MODE": "kubernetes-cluster",
        "SAIL_CLUSTER__WORKER_INITIAL_COUNT": workers,
        "SAIL_CLUSTER__WORKER_MAX_COUNT": workers,
        "SAIL_CLUSTER__WORKER_MAX_IDLE_TIME_SECS": "20",
        "SAIL_CLUSTER__WORKER_HEARTBEAT_INTERVAL_SECS": "1",
        "SAIL_CLUSTER__WORKER_HEARTBEAT_TIMEOUT_SECS": lost_after,
    }
    master = start(["spark", "server", "--port", str(port)], environment)
    until = time.monotonic() + 60
    while not answers(port):
        if master.poll() is not None or time.monotonic() > until:
            sys.exit("the cluster does not start")
        time.sleep(0.1)
    tell({"port": port, "master": master.pid})
    sys.stdin.read()


if __name__ == "__main__":
    main()
