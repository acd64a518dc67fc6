#!/usr/bin/env python3
"""The lake past one machine: time and peak memory of each process, on this machine's engine and in a cluster of Sail.

For each size it invents a lake (`generate --lake`), asks the same questions here and in a cluster of one master and two
workers, and compares the answers. Prints Markdown; ends with status 1 where an answer differs.

Needs the release binaries of `phananh` and `phananh-engine`, and a Python with pysail (`--python`, else a virtual
environment that this program makes). 100 M allegations take some 10 GB of disk.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUESTIONS = {
    "count by branch and month": "SELECT branch, month, COUNT(*) AS n, SUM(cost_vnd) AS cost FROM complaints "
    "GROUP BY branch, month ORDER BY branch, month",
    "distinct enterprises by officer": "SELECT a.officer, COUNT(DISTINCT c.enterprise) AS n FROM allegations a JOIN "
    "complaints c ON c.complaint = a.complaint GROUP BY a.officer ORDER BY n DESC, a.officer LIMIT 100",
    "one quarter": "SELECT kind, COUNT(*) AS n FROM complaints WHERE received_on BETWEEN DATE '2025-01-01' AND DATE "
    "'2025-03-31' GROUP BY kind ORDER BY kind",
}

# Seconds: workers share the processors with the question, and answer late.
LOST_AFTER = "60"


class Memory:
    """The peak memory of processes and their children, by the name of their program."""

    def __init__(self):
        self.peaks, self.roots, self.ended = {}, {}, False
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while not self.ended:
            for name, pid in list(self.roots.items()):
                for one, label in [(pid, name), *((child, f"{name} engine") for child in children(pid))]:
                    self.peaks[label] = max(self.peaks.get(label, 0), peak(one))
            time.sleep(0.05)

    def take(self):
        peaks, self.peaks = self.peaks, {}
        return peaks


def children(pid):
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        lists = [open(f"/proc/{pid}/task/{task}/children", encoding="ascii").read() for task in tasks]
        return [int(child) for one in lists for child in one.split()]
    except OSError:
        return []


def peak(pid):
    """Resident megabytes now: the peak of a process that lives on would be that of an earlier question."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return 0


def ask(memory, name, command):
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    memory.roots[name] = child.pid
    out, err = child.communicate()
    seconds = time.perf_counter() - began
    memory.roots.pop(name, None)
    if child.returncode != 0:
        return seconds, None, err.strip()
    return seconds, json.loads(out)["rows"], ""


def cluster(python, memory):
    child = subprocess.Popen(
        [python, os.path.join(PROJECT, "tests/clients/cluster.py"), "2", LOST_AFTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    started = json.loads(child.stdout.readline())
    memory.roots["master"] = started["master"]

    def workers():
        for number, line in enumerate(child.stdout):
            memory.roots[f"worker {number % 2 + 1}"] = json.loads(line)["worker"]

    threading.Thread(target=workers, daemon=True).start()
    return child, f"sc://127.0.0.1:{started['port']}"


def same(one, other):
    def close(a, b):
        return a == b or isinstance(a, float) and isinstance(b, float) and abs(a - b) <= 1e-9 * abs(a)

    pairs = list(zip(one, other))
    return len(one) == len(other) and all(x.keys() == y.keys() and close(x[key], y[key]) for x, y in pairs for key in x)


def python_with_sail():
    folder = os.path.join(tempfile.gettempdir(), "phananh-bench-pysail")
    python = os.path.join(folder, "bin/python3")
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "pysail==0.7.2"], check=True)
    return python


def shown(peaks):
    return ", ".join(f"{name} {round(megabytes)}" for name, megabytes in sorted(peaks.items()) if megabytes)


def bench(args, size, folder):
    memory = Memory()
    lake = os.path.join(folder, f"lake-{size}")
    make = [args.program, "generate", "--lake", lake, "--complaints", str(size), "--seed", "1", "--format", "json"]
    began = time.perf_counter()
    child = subprocess.Popen(make, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    memory.roots["phananh"] = child.pid
    written = json.loads(child.communicate()[0])
    seconds = time.perf_counter() - began
    memory.roots.clear()
    print(
        f"\n{written['allegations']:,} allegations, {written['complaints']:,} complaints, {written['bytes'] >> 20:,} MB in "
        f"{seconds:.0f} s ({shown(memory.take())} MB)\n\n| question | here | MB | cluster | MB | same |\n| --- | ---: | "
        "--- | ---: | --- | --- |",
        flush=True,
    )
    limits = ["--memory-mb", str(args.memory_mb), "--seconds", str(args.seconds), "--format", "json"]
    asked = {name: ["sql", text, "--lake", lake, "--rows", "1000000", *limits] for name, text in QUESTIONS.items()}
    asked["recurrence counts"] = ["lake", "counts", lake, *limits]
    running, address = cluster(args.python or python_with_sail(), memory)
    is_same = True
    try:
        for name, command in asked.items():
            here, one, failed = ask(memory, "phananh", [args.program, *command])
            here_peaks = {name: peak for name, peak in memory.take().items() if name.startswith("phananh")}
            there, other, failed_there = ask(memory, "phananh", [args.program, *command, "--engine", address])
            there_peaks = memory.take()
            agrees = one is not None and other is not None and same(one, other)
            is_same &= agrees
            print(
                f"| {name} | {here:.1f} s | {shown(here_peaks)} | {there:.1f} s | {shown(there_peaks)} | "
                f"{'yes' if agrees else failed or failed_there or 'NO'} |",
                flush=True,
            )
    finally:
        running.stdin.close()
        running.wait()
        memory.ended = True
    return is_same


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(PROJECT, "target"))
    parser.add_argument("--program", default=os.path.join(target, "release/phananh"))
    parser.add_argument("--python", help="a Python that has pysail")
    parser.add_argument("--sizes", default="1000000,10000000,100000000", help="complaints; each has one allegation")
    parser.add_argument("--memory-mb", type=int, default=4096)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--folder", help="where the lakes are made; by default a temporary folder")
    args = parser.parse_args()
    results = []
    for size in (int(size) for size in args.sizes.split(",")):
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            results.append(bench(args, size, folder))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
