"""Runs a command on a terminal of its own: waits for texts, types keys, and says what was shown: one JSON document."""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

given = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
    os.environ.update(given["environment"])
    os.execv(given["command"][0], given["command"])

shown = b""


def read(seconds):
    """Reads what is shown within some seconds; False at the end of the program."""
    global shown
    if not select.select([terminal], [], [], seconds)[0]:
        return True
    try:
        more = os.read(terminal, 65536)
    except OSError:
        more = b""
    shown += more
    return bool(more)


def done(status, missing=None):
    print(json.dumps({"status": status, "shown": shown.decode(errors="replace"), "missing": missing}))
    sys.exit()


from_here = 0
for expected, keys in given["steps"]:
    ends = time.monotonic() + given["seconds"]
    while (at := shown.find(expected.encode(), from_here)) < 0:
        if not read(0.2) or time.monotonic() > ends:
            os.kill(child, 9)
            done(None, expected)
    from_here = at + len(expected.encode())
    # The editor reads keys when it has shown its prompt; Ctrl-C is a signal when it has left the terminal to the question.
    time.sleep(1.5 if keys.endswith("\x03") else 0.1)
    os.write(terminal, keys.encode())

ends = time.monotonic() + given["seconds"]
while read(0.2) and time.monotonic() < ends:
    pass
ended, status = os.waitpid(child, os.WNOHANG)
if not ended:
    time.sleep(1)
    ended, status = os.waitpid(child, os.WNOHANG)
if not ended:
    os.kill(child, 9)
    done(None, "the end")
done(os.waitstatus_to_exitcode(status))
