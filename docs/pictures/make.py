#!/usr/bin/env python3
"""Draws the pictures of docs/statistics.md from a generated register.

    phananh --database sqlite:world.db generate --complaints 50000 --seed 1
    phananh --database sqlite:world.db jobs run recurrence --as-of 2025-12-31
    python3 docs/pictures/make.py world.db        (needs matplotlib)
"""

import datetime as dt
import json
import os
import sqlite3
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "phananh", "font.size": 9})
HERE = os.path.dirname(os.path.abspath(__file__))


def save(figure, name):
    figure.savefig(os.path.join(HERE, name), metadata={"Date": None}, bbox_inches="tight")


def funnel(document):
    units = sorted(document["funnel"]["units"], key=lambda unit: unit["expected"])
    x = [unit["expected"] for unit in units]
    figure, axes = plt.subplots(figsize=(7, 4))
    for low, high, style, label in (
        ("lower95", "upper95", "--", "95 %"),
        ("lower998", "upper998", "-", "99.8 %"),
    ):
        axes.plot(x, [unit[low] for unit in units], style, color="0.4", linewidth=0.8, label=f"limits of {label}")
        axes.plot(x, [unit[high] for unit in units], style, color="0.4", linewidth=0.8)
    outside = [unit for unit in units if not unit["lower998"] <= unit["ratio"] <= unit["upper998"]]
    inside = [unit for unit in units if unit not in outside]
    axes.plot([u["expected"] for u in inside], [u["ratio"] for u in inside], "o", color="tab:blue", markersize=3, label="branches")
    axes.plot([u["expected"] for u in outside], [u["ratio"] for u in outside], "o", color="tab:red", markersize=4, label="outside of 99.8 %")
    for unit in outside:
        axes.annotate(unit["code"], (unit["expected"], unit["ratio"]), fontsize=7, xytext=(4, 2), textcoords="offset points")
    axes.axhline(1, color="0.7", linewidth=0.8)
    axes.set_ylim(0, min(8, 1.1 * max(unit["ratio"] for unit in units)))
    axes.set_xlabel("episodes expected in 365 days (E)")
    axes.set_ylabel("observed / expected")
    axes.legend(fontsize=8, frameon=False)
    save(figure, "funnel.svg")


def evidence(db):
    code, officer, numbers, ids, as_of = db.execute(
        "SELECT o.code, o.id, a.numbers, a.evidence, r.as_of FROM flags f JOIN officers o ON o.id = f.officer_id "
        "JOIN flag_assessments a ON a.flag_id = f.id AND a.run_id = f.run_id JOIN job_runs r ON r.id = f.run_id "
        "WHERE f.tier = 'REVIEW' ORDER BY o.code LIMIT 1"
    ).fetchone()
    year = json.loads(numbers)["windows"][3]["adjustedConfirmed"]
    rows = []
    for complaint in json.loads(ids):
        key = bytes.fromhex(complaint.replace("-", ""))
        received, enterprise, state = db.execute(
            "SELECT c.received_at, COALESCE(e.group_code, substr(e.tax_code, 1, 10)), "
            "(SELECT max(o.finding) FROM complaint_officers o WHERE o.complaint_id = c.id AND o.officer_id = ?2) "
            "FROM complaints c LEFT JOIN enterprises e ON e.id = c.enterprise_id WHERE c.id = ?1",
            (key, officer),
        ).fetchone()
        day = (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=received, hours=7)).date()
        rows.append((day, enterprise or "anonymous", state))
    names = list(dict.fromkeys(name for _, name, _ in sorted(rows)))
    figure, axes = plt.subplots(figsize=(7, 0.3 * len(names) + 1.4))
    marks = {"SUSTAINED": ("tab:red", "sustained"), "NOT_SUSTAINED": ("0.6", "not sustained"), "PENDING": ("tab:blue", "pending")}
    for finding, (colour, label) in marks.items():
        chosen = [(day, names.index(name)) for day, name, found in rows if found == finding]
        if chosen:
            axes.plot(*zip(*chosen), "o", color=colour, label=label)
    axes.set_yticks(range(len(names)), [f"enterprise {n + 1}" if name != "anonymous" else name for n, name in enumerate(names)])
    axes.set_xlim(dt.date.fromisoformat(as_of) - dt.timedelta(days=365), dt.date.fromisoformat(as_of))
    axes.invert_yaxis()
    axes.set_title(
        f"{code}: {year['observed']} episodes, {year['expected']:.1f} expected; EB05 {year['eb05']:.1f}, "
        f"without the largest enterprise {year['eb05WithoutLargest']:.1f}",
        fontsize=9,
    )
    axes.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncol=3)
    save(figure, "evidence.svg")


if __name__ == "__main__":
    register = sqlite3.connect(sys.argv[1])
    found = register.execute(
        "SELECT document FROM job_results WHERE name = 'recurrence' ORDER BY as_of DESC LIMIT 1"
    ).fetchone()
    if found is None:
        sys.exit("there is no run of the recurrence job in this register")
    funnel(json.loads(found[0]))
    evidence(register)
