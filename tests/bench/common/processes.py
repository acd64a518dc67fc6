"""Time, memory and threads of processes, from the system."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time


class Failed(Exception):
    """A command that ended with an error, or was ended because it took too long."""


class Done:
    """What a command that ended well took and wrote."""

    def __init__(self, seconds, peak_mb, out):
        self.seconds, self.peak_mb, self.out = seconds, peak_mb, out


def measured(command, seconds=None, **options):
    """Runs a command, at most so many seconds. Raises `Failed` with the end of what it wrote on standard error. Its
    memory is never less than that of this process, from which the system starts it."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, **options)
        timer = threading.Timer(seconds, os.kill, (child.pid, signal.SIGKILL)) if seconds else None
        if timer:
            timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        if timer:
            timer.cancel()
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if child.returncode == 0:
            return Done(took, usage.ru_maxrss / 1024, out.read().decode())
        err.seek(0)
        killed = child.returncode == -signal.SIGKILL
        why = f"was killed after {took:.0f} s" if killed else f"ended with {child.returncode}"
        raise Failed(f"{' '.join(command)} {why}: {err.read().decode()[-500:].strip()}")


class Status:
    """A process at this moment: resident memory and its peak in MB, threads, open files."""

    def __init__(self, pid):
        lines = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        self.mb = int(lines["VmRSS"].split()[0]) / 1024
        self.peak_mb = int(lines["VmHWM"].split()[0]) / 1024
        self.threads = int(lines["Threads"])
        self.files = len(os.listdir(f"/proc/{pid}/fd"))


def forget_peak(pid):
    """Lets the peak of a process begin at its present memory."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def family_mb(pid):
    """Resident memory of a process and its children."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    total = 0
    for one in [str(pid), *children]:
        try:
            found = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{one}/status").read_text())
            total += int(found.group(1)) if found else 0
        except FileNotFoundError:
            pass
    return round(total / 1024)


def cpu_seconds(pids):
    """Processor time that processes have used so far."""
    total = 0
    for one in pids:
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except FileNotFoundError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def of_postgres():
    """The processes of PostgreSQL on this machine."""
    return subprocess.run(["pgrep", "-x", "postgres"], capture_output=True, text=True).stdout.split()
