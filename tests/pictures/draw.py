#!/usr/bin/env python3
"""The pictures of the page in the documentation: views of a demonstration in Chromium.

    python3 tests/pictures/draw.py --program target/release/phananh [--folder docs/pictures] [NAME …]

Starts `phananh demo` in a folder of its own, adds what the demonstration lacks (a guidance document with an opinion, a
proposal with its effect, a measure), signs in by the address that it prints, and writes `page-NAME.png` for each view,
or for those named: in the light theme at 1,280 px, and of some `page-NAME-dark-390.png`. The data of a demonstration
end yesterday: the numbers of the pictures differ from day to day.

Needs Chromium, Node.js with npm, and Pillow, which keeps the files small.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
CLIENTS = HERE.parent / "clients"
# Where the tests, too, keep what they install.
INSTALLED = pathlib.Path.home() / ".cache" / "phananh-tests" / "pictures"
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# The views that are shown on a telephone, too, in the dark.
SMALL = ["today", "flag", "unit"]
# A reader of the documentation sees the upper part of a long view.
LIGHT, DARK = {"theme": "light", "width": 1280, "height": 1500}, {"theme": "dark", "width": 390, "height": 1400}


class Demonstration:
    """`phananh demo` in a folder, which ends with the `with` block."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        environment = {name: value for name, value in os.environ.items() if name != "PHANANH_DATABASE_URL"}
        command = [program, "demo", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment)
        self.said = {}
        for line in self.process.stdout:
            name, _, value = line.strip().partition(": ")
            if name in ("address", "open", "token"):
                self.said[name] = value
            if "Ctrl-C ends it." in line:
                break
        if set(self.said) != {"address", "open", "token"}:
            self.end()
            sys.exit(f"{program} demo did not start: it said {self.said}")
        self.address = self.said["address"]

    def token(self, role, unit=None):
        """A token of a further role."""
        command = [self.program, "--database", "sqlite:phananh-demo.db", "--format", "json"]
        command += ["token", "create", "--name", f"pictures {role} {unit}", "--role", role]
        command += ["--unit", unit] if unit else []
        made = subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(made.stdout)["token"]

    def data(self, query, variables=None, token=None):
        """The data of an operation; by default as the Board asks."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {token or self.said['token']}"}
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"{self.address}/graphql", body, headers), timeout=120
            ) as answer:
                answer = json.load(answer)
        except urllib.error.HTTPError as failure:
            sys.exit(f"{query[:120]}: {failure.code} {failure.read().decode(errors='replace')[:500]}")
        if answer.get("errors"):
            sys.exit(f"{query[:120]}: {answer['errors'][0]['message']}")
        return answer["data"]

    def done(self, mutation, fields, given, token=None):
        """The fields of a mutation that must succeed."""
        of = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation ($input: {of}!) {{ {mutation}(input: $input) {{ {fields} }} }}"
        return self.data(query, {"input": given}, token)[mutation]

    def end(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def add_guidance(demo):
    """A headquarters unit asks for the Board's opinion on a draft, and gets it."""
    headquarters = "{ units(first: 1, filter: {kind: {eq: HEADQUARTERS_UNIT}}) { nodes { code } } }"
    unit = demo.data(headquarters)["units"]["nodes"][0]["code"]
    draft = {
        "title": "Hướng dẫn khai báo hồ sơ điện tử",
        "text": "Doanh nghiệp chỉ nộp bản giấy khi hệ thống ngừng quá 4 giờ.",
        "category": "PRO-TRAIN",
    }
    asked = demo.done("requestOpinion", "document { id version }", draft, demo.token("UNIT_HEAD", unit))
    opinion = {"documentId": asked["document"]["id"], "expectedVersion": asked["document"]["version"]}
    opinion |= {"verdict": "AGREED_WITH_CHANGES", "text": "Cần ghi rõ ai xác nhận thời gian hệ thống ngừng."}
    demo.done("giveOpinion", "document { id }", opinion)


def add_proposal(demo, today):
    """A proposal of the Board that has been in force for months."""
    new = {"title": "Tập huấn về thủ tục điện tử", "text": "Tập huấn cho mọi chi cục.", "categories": ["PRO-TRAIN"]}
    proposal = demo.done("propose", "proposal { id version }", new)["proposal"]
    day = str(today - datetime.timedelta(days=150))
    for more in ({"state": "ACCEPTED"}, {"state": "IMPLEMENTED", "implementedOn": day}):
        step = {"proposalId": proposal["id"], "expectedVersion": proposal["version"], **more}
        proposal = demo.done("changeProposalState", "proposal { id version }", step)["proposal"]


def add_measure(demo, today):
    """A formal review of an officer with a flag, by the unit in which the officer serves."""
    asked = "{ flags(first: 50) { nodes { id officer { code postings { unit { code } validFrom validTo } } } } }"
    day = str(today - datetime.timedelta(days=2))
    for flag in demo.data(asked)["flags"]["nodes"]:
        for posting in (flag["officer"] or {}).get("postings", []):
            if posting["unit"] and posting["validTo"] is None and (posting["validFrom"] or day) <= day:
                measure = {
                    "officer": flag["officer"]["code"],
                    "flagId": flag["id"],
                    "kind": "FORMAL_REVIEW",
                    "grounds": "Nhiều doanh nghiệp phản ánh cùng một việc.",
                    "decisionMaker": "Chi cục trưởng (minh họa)",
                    "decidedOn": day,
                }
                head = demo.token("UNIT_HEAD", posting["unit"]["code"])
                return demo.done("recordMeasure", "measure { id }", measure, head)
    sys.exit("the demonstration has no officer with a flag who serves in a unit today")


def views_of(demo):
    """The name and the path of each view."""

    def first(root, conditions, fields):
        """The first object that meets the first of the conditions which any meets."""
        for condition in conditions:
            found = demo.data(f"{{ {root}(first: 1, filter: {condition}) {{ nodes {{ {fields} }} }} }}")[root]["nodes"]
            if found:
                return found[0]
        sys.exit(f"the demonstration has no {root} for a picture: {conditions}")

    of_officers = ["{subjectKind: {eq: OFFICER}, tier: {eq: SUSPENSION_REVIEW}}", "{subjectKind: {eq: OFFICER}}"]
    flag = first("flags", of_officers, "id")["id"]
    branch = first("flags", ["{subjectKind: {eq: BRANCH}}"], "unit { code }")["unit"]["code"]
    complaint = first("complaints", ["{state: {eq: ANSWERED}}"], "id")["id"]
    return {
        "today": "/",
        "flags": "/flags",
        "flag": f"/flags/{flag}",
        "units": "/units",
        "unit": f"/units/{urllib.parse.quote(branch)}",
        "complaints": "/complaints",
        "complaint": f"/complaints/{complaint}",
        "categories": "/categories",
        "overdue": "/overdue",
        "guidance": "/guidance",
        "measures": "/measures",
        "explore": "/explore?by=MONTH",
        "digests": "/digests",
    }


def browser():
    """The name of Chromium."""
    found = next((name for name in BROWSERS if shutil.which(name)), None)
    return found or sys.exit(f"Chromium is missing: install one of {', '.join(BROWSERS)}")


def driver():
    """The script that drives the browser, in a folder with what it imports."""
    if not shutil.which("node") or not shutil.which("npm"):
        sys.exit("Node.js is missing: install node and npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    version = json.loads((CLIENTS / "package.json").read_text())["dependencies"]["puppeteer-core"]
    (INSTALLED / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
    there = INSTALLED / "node_modules" / "puppeteer-core" / "package.json"
    if not there.exists() or json.loads(there.read_text())["version"] != version:
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--loglevel=error"]
        subprocess.run([*command, f"puppeteer-core@{version}"], cwd=INSTALLED, check=True, stdout=sys.stderr)
    for script in (CLIENTS / "reader.js", HERE / "take.js"):
        shutil.copy(script, INSTALLED)
    return INSTALLED / "take.js"


def make_small(file):
    """Stores a picture with 256 colours. Rare colours are kept: what is unusual has one."""
    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", default=PROJECT / "docs" / "pictures", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help="views, such as today; all by default")
    asked = parser.parse_args()
    program, chromium, script = pathlib.Path(asked.program).resolve(), browser(), driver()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        demo = stack.enter_context(Demonstration(program, folder))
        today = datetime.date.today()
        add_guidance(demo)
        add_proposal(demo, today)
        add_measure(demo, today)
        views = views_of(demo)
        if unknown := set(asked.names) - set(views):
            sys.exit(f"no view is called {', '.join(sorted(unknown))}; there are {', '.join(views)}")
        taken = pathlib.Path(folder) / "taken"
        taken.mkdir()
        pictures = []
        for name, path in views.items():
            if asked.names and name not in asked.names:
                continue
            pictures.append({"file": str(taken / f"page-{name}.png"), "path": path, **LIGHT})
            if name in SMALL:
                pictures.append({"file": str(taken / f"page-{name}-dark-390.png"), "path": path, **DARK})
        entry = demo.said["open"].removeprefix(demo.address)
        command = ["node", script, chromium, demo.address, entry, json.dumps(pictures)]
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        if wrong := {name: found for name, found in said.items() if found}:
            sys.exit(f"no picture is kept: {json.dumps(wrong, ensure_ascii=False)}")
        # Only complete pictures replace those of the documentation.
        asked.folder.mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            make_small(picture["file"])
            kept = asked.folder / pathlib.Path(picture["file"]).name
            shutil.copyfile(picture["file"], kept)
            print(f"{kept}: {kept.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
