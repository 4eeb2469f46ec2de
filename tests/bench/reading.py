"""Reading an export (B8): a workbook into typed rows with what is odd in them, against openpyxl.

Each reads the same workbook of companies in a process of its own, in turns. openpyxl reads its cells alone,
in read-only mode; we find the header, type each of the declared columns, and tell what is odd.
`TANDEM_BENCH_WORKBOOK` says how many rows (100,000 of 25 cells unless set). What each row adds to the memory
shows against a workbook with a fifth of them.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from local.crm.sheets.workbook import Cell, workbook
from mappers.legrand.export import EXPORT
from tests.bench.measure import Measure, rounded
from tests.bench.stack import ROOT

_COMPANY = EXPORT.object_of("company")
_ROUNDS = 3
_DAY = date(2015, 1, 1)

_READ = """
import json, sys, time
from shared.connectors.exports.folder import Folder
from shared.core.reading import cells
from mappers.legrand.export import EXPORT
entry = EXPORT.object_of("company")
began, at = time.process_time(), time.perf_counter()
rows = remarks = 0
for typed in cells.read(entry, Folder(sys.argv[1]).open(entry).rows):
    rows += 1
    remarks += len(typed.remarks)
"""
_PEER = f"""
import json, sys, time, openpyxl
began, at = time.process_time(), time.perf_counter()
book = openpyxl.load_workbook(sys.argv[1] + "/{_COMPANY.file}", read_only=True)
rows, remarks = sum(1 for _ in book["{_COMPANY.sheet}"].iter_rows(values_only=True)) - 1, 0
"""
_SAY = """
took, elapsed = time.process_time() - began, time.perf_counter() - at
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
most = int(status["VmHWM"].split()[0]) * 1024
print(json.dumps({"rows": rows, "remarks": remarks, "cpu": took, "elapsed": elapsed, "bytes": most}))
"""


def reading() -> Iterator[Measure]:
    """CPU and memory, ours and openpyxl's."""
    count = int(os.environ.get("TANDEM_BENCH_WORKBOOK", "100000"))
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        whole, fifth = Path(name) / "whole", Path(name) / "fifth"
        for folder, rows in ((whole, count), (fifth, count // 5)):
            folder.mkdir()
            (folder / _COMPANY.file).write_bytes(workbook({str(_COMPANY.sheet): _companies(rows)}))
        rounds = [(_run(_READ, whole), _run(_PEER, whole)) for _ in range(_ROUNDS)]
        smaller = _run(_READ, fifth)
    ours, theirs = rounds[0]
    if ours["rows"] != count or theirs["rows"] != count or not ours["remarks"]:
        raise RuntimeError(f"not all rows were read: {ours}, {theirs}")
    ratio = median(peer["cpu"] / mine["cpu"] for mine, peer in rounds)
    cpu = median(mine["cpu"] for mine, _ in rounds)
    grown = (ours["bytes"] - smaller["bytes"]) / (count - count // 5)
    yield Measure("speed of openpyxl's reading, exceeded", rounded(ratio), "times", least=8)
    elapsed = median(peer["elapsed"] / mine["elapsed"] for mine, peer in rounds)
    yield Measure("speed of openpyxl's reading, exceeded in time elapsed", rounded(elapsed), "times")
    yield Measure("memory per row that is added", rounded(grown), "bytes", most=64)
    yield Measure(f"rows of 25 cells, of {count:,}", rounded(count / cpu), "rows/CPU s")
    yield Measure("CPU per row", rounded(1e6 * cpu / count), "us")
    yield Measure("CPU per row of openpyxl", rounded(1e6 * median(p["cpu"] for _, p in rounds) / count), "us")
    yield Measure("memory of the process", rounded(ours["bytes"] / 2**20), "MiB")


def _run(program: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-c", program + _SAY, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _companies(count: int) -> list[list[Cell]]:
    """A tidy header, and rows of which one in a hundred is odd somewhere."""
    chance = random.Random(8)  # noqa: S311  # the same workbook each time
    names = [column.name for column in _COMPANY.columns]
    names += [f"Extra {number} (custom)" for number in range(25 - len(names))]
    return [[*names], *(_company(number, names, chance) for number in range(count))]


def _company(number: int, names: list[str], chance: random.Random) -> list[Cell]:
    created = _DAY + timedelta(days=chance.randrange(3000))
    said: dict[str, Cell] = {
        "Company ID": f"CO-{number:06d}",
        "Company Name": f"Fahrrad {number} GmbH" + (" " if number % 100 == 0 else ""),
        "Company Type": chance.choice(["Customer", "Supplier", "Prospect"]),
        "Industry": chance.choice(["Retail", "Wholesale", "Service"]),
        "Phone": f"+49 30 {chance.randrange(10**6, 10**7)}",
        "Fax": f"030/{chance.randrange(10**6, 10**7)}",
        "Email": f"info{number}@firma-{number}.example",
        "Website": f"https://firma-{number}.example",
        "Street": f"Hauptstraße {chance.randrange(1, 200)}",
        "City": chance.choice(["Berlin", "Leipzig", "Köln", "München"]),
        "Postal Code": str(chance.randrange(10000, 99999)),
        "Country": "Germany",
        "Keywords": chance.choice(["vip; dealer", "dealer", ""]),
        "Account Manager": chance.choice(["Ann Smith", "Bea Jones"]),
        "Accounting Contact": f"Person {number}",
        "Created Date": created,
        "Modified Date": created + timedelta(days=30),
        "No. of Employees": chance.randrange(1, 500),
        "Annual Sales": round(chance.random() * 1e6, 2),
        "Bike Brands Stocked (custom)": chance.choice(["Gazelle, Batavus", "Cube", ""]),
        "Contract Signed (custom)": chance.choice(["Yes", "No"]),
    }
    return [said.get(name, f"note {number}" if name.startswith("Extra") else None) for name in names]
