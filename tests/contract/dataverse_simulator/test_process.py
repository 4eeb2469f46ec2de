"""The simulator as the supervisor runs it: flags in, a ready line out, a clean end."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]
READY = re.compile(r"dataverse: listening on (http://127\.0\.0\.1:\d+) and no https\n")


@contextmanager
def process(*flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "local.dataverse", *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    try:
        ready = READY.fullmatch(started.stdout.readline())
        assert ready is not None
        yield started, ready[1]
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def test_it_starts_answers_and_keeps_its_rows_over_a_stop(tmp_path: Path) -> None:
    flags = ("--store", str(tmp_path / "store.db"))
    headers = {"Authorization": "Bearer x"}
    with process(*flags) as (running, url):
        assert httpx.get(f"{url}/health").json() == {"status": "ok"}
        address = httpx.post(f"{url}/api/data/v9.2/accounts", json={"name": "A"}, headers=headers).headers[
            "OData-EntityId"
        ]
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=60)

    assert (running.returncode, said) == (0, "dataverse: stopped\n")
    with process(*flags) as (_, again):
        row = httpx.get(f"{again}{address[len(url) :]}?$select=name", headers=headers).json()
    assert row["name"] == "A"


def test_the_control_route_is_there_only_when_it_was_asked_for() -> None:
    routes = ("faults", "limits", "latency", "security", "requests", "flows", "store")
    seen = []
    for flags in ((), ("--control",)):
        with process(*flags) as (_, url):
            seen.append({httpx.get(f"{url}/admin/{route}").status_code for route in routes})
            reset = httpx.post(f"{url}/admin/reset").status_code

    assert seen == [{404}, {200}]
    assert reset == 204
