"""The Dataverse simulator as a process of its own, as in the stack."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.stack.ports import pick_ports
from tests.bench.stack import ROOT, until


@contextmanager
def simulator(folder: Path, *more: str) -> Iterator[tuple[str, int]]:
    """A fresh simulator, with more arguments if given: its URL and its process id."""
    port = pick_ports({}, folder / "ports.json")["dataverse"]
    command = [sys.executable, "-m", "local.dataverse", "--http-port", str(port), *more]
    command += ["--store", str(folder / "store.db")]
    command += ["--customisations", str(ROOT / "infra/dataverse/customisations.json")]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            until("the simulator answers", lambda: _answers(url))
            yield url, process.pid
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
