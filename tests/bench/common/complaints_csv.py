"""A CSV file of invented complaints with its mapping, for imports."""

import csv
import random

WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)

MAPPING = """
source = "bench"
[file]
rows = "{rows}"
[missing]
unit = "create"
officer = "create"
category = "create"
[fields]
reference = "id"
received = "day"
tax_code = "tax"
unit = "unit"
officer = "officer"
category = "category"
category_kind = {{ constant = "CONDUCT" }}
cost_vnd = "cost"
delay_hours = "hours"
text = "text"
"""


def tax_code(number):
    """A valid tax code; None if the number has none."""
    nine = f"{number:09}"
    check = 10 - sum(int(d) * w for d, w in zip(nine, WEIGHTS, strict=True)) % 11
    return None if check == 10 else nine + str(check)


def write_complaints(path, rows, first=0):
    """Complaints with one officer each, the same at each call. `first` is the number of the first one."""
    rng = random.Random(1 + first)
    taxes = [code for code in map(tax_code, range(100_000_000, 100_000_000 + rows // 10 + 100)) if code]
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "day", "tax", "unit", "officer", "category", "cost", "hours", "text"])
        for n in range(rows):
            day = f"{2019 + n * 5 // rows}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
            about = [rng.choice(taxes), f"U{rng.randint(1, 200):03}", f"O{rng.randint(1, rows // 8 + 1):06}"]
            about += [f"K{rng.randint(1, 30):02}", rng.randint(0, 5000) * 1000, rng.randint(0, 400) / 4]
            calls = f"doanh nghiệp đã gọi {rng.randint(2, 9)} lần, hồ sơ số {n}"
            out.writerow([f"C{first + n:09}", day, *about, f"Tờ khai bị giữ lại không nêu lý do, {calls}"])


def write_mapping(path, rows="scattered"):
    """`rows`: whether rows of one complaint may lie apart in the file."""
    with open(path, "w") as file:
        file.write(MAPPING.format(rows=rows))
