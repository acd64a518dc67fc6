"""Load by `wrk`, for rates that Python would limit."""

import json
import pathlib
import re
import subprocess
import tempfile


def wrk(url, connections, seconds, bodies, headers, tokens=None):
    """Rate and latencies of POSTs that take turns; `tokens`: one for each of the bodies."""
    lines = ["local bodies = {", *(f"  [==[{json.dumps(body)}]==]," for body in bodies), "}"]
    lines += ["local tokens = {", *(f"  {json.dumps(f'Bearer {token}')}," for token in tokens or []), "}"]
    lines += ["local n = math.random(#bodies)", 'wrk.method = "POST"']
    lines += [f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}" for key, value in headers.items()]
    lines += [
        "request = function()",
        "  n = n % #bodies + 1",
        "  wrk.headers['authorization'] = tokens[n] or wrk.headers['authorization']",
        "  return wrk.format(nil, nil, nil, bodies[n])",
        "end",
        "done = function(summary, latency)",
        "  local errors = summary.errors.status + summary.errors.timeout",
        "  local p50, p99 = latency:percentile(50), latency:percentile(99)",
        "  io.write(string.format('RESULT %d %d %d %d %d\\n', summary.requests, summary.duration, p50, p99, errors))",
        "end",
    ]
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "load.lua"
        script.write_text("\n".join(lines))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, url]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    requests, micros, p50, p99, errors = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", out).groups())
    return {"perSecond": round(requests / micros * 1e6), "p50Ms": p50 / 1000, "p99Ms": p99 / 1000, "errors": errors}
