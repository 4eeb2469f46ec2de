"""`python -m local.stack` as a person uses it, on a checkout with the issuer and the vault alone."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from local.stack.hold import Wish, hold, status_of
from local.stack.layout import Layout
from local.stack.lineup import NAMES
from local.stack.process import started_at

WITHOUT = [word for name in NAMES if name not in {"identity", "vault"} for word in ("--without", name)]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    source = Path(__file__).parents[3] / "local"
    for name in ("identity", "vault", "stack"):
        shutil.copytree(
            source / name, tmp_path / "local" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copyfile(source / "__init__.py", tmp_path / "local" / "__init__.py")
    yield Layout(tmp_path)
    stack(tmp_path, "down")


def stack(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TANDEM_")}
    return subprocess.run(
        [sys.executable, "-m", "local.stack", *arguments],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited too long"


def processes(layout: Layout) -> list[int]:
    status = json.loads(layout.status.read_text())
    return [status["pid"], *(part["pid"] for part in status["parts"].values())]


def test_up_returns_when_everything_answers_and_down_leaves_nothing(layout: Layout) -> None:
    up = stack(layout.root, "up", "--detach", *WITHOUT)

    assert (up.returncode, up.stderr) == (0, "")
    assert "All 2 parts answer" in up.stdout
    addresses = json.loads(layout.endpoints.read_text())
    trust = ssl.create_default_context(cafile=addresses["ca_file"])
    with httpx.Client(verify=trust, trust_env=False) as http:
        token = http.post(
            addresses["dataverse"]["token_url"],
            data={
                "grant_type": "client_credentials",
                "client_id": "me",
                "client_secret": "any",
                "scope": f"{addresses['dataverse']['http']}/.default",
            },
        )
    assert token.json()["token_type"] == "Bearer"
    shown = stack(layout.root, "status")
    assert (shown.returncode, [line.split()[:2] for line in shown.stdout.splitlines()[2:]]) == (
        0,
        [["identity", "ready"], ["vault", "ready"]],
    )
    assert stack(layout.root, "logs", "vault").stdout.startswith("vault: answering on https://127.0.0.1:")

    left = processes(layout)
    down = stack(layout.root, "down")
    assert (down.returncode, down.stdout.splitlines()[-1]) == (
        0,
        "The local stack is stopped; no process is left.",
    )
    assert [started_at(pid) for pid in left] == [None] * 3
    assert stack(layout.root, "status").returncode == 1


def test_a_second_up_finds_the_first_and_a_later_one_uses_its_ports(layout: Layout) -> None:
    stack(layout.root, "up", "--detach", *WITHOUT)
    first = json.loads(layout.endpoints.read_text())

    again = stack(layout.root, "up", "--detach", *WITHOUT)
    assert (again.returncode, again.stdout) == (
        0,
        f"The local stack is up already; every address is in {layout.endpoints}\n",
    )

    stack(layout.root, "down")
    stack(layout.root, "up", "--detach", *WITHOUT)
    later = json.loads(layout.endpoints.read_text())
    assert later | {"tokens": None} == first | {"tokens": None}


def test_the_stack_survives_the_death_of_its_supervisor_at_the_next_start(layout: Layout) -> None:
    stack(layout.root, "up", "--detach", *WITHOUT)
    supervisor = json.loads(layout.status.read_text())["pid"]
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: started_at(supervisor) is None)

    assert stack(layout.root, "status").returncode == 1
    again = stack(layout.root, "up", "--detach", *WITHOUT)
    assert (again.returncode, stack(layout.root, "status").returncode) == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_stack_in_the_foreground(layout: Layout, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.stack", "up", *WITHOUT]
    with subprocess.Popen(command, cwd=layout.root, stdout=subprocess.PIPE, text=True) as running:
        wait_for(lambda: stack(layout.root, "status").returncode == 0)
        pids = processes(layout)
        running.send_signal(number)
        output, _ = running.communicate(timeout=60)

    assert (running.returncode, output.splitlines()[-1]) == (
        0,
        "The local stack is stopped; no process is left.",
    )
    assert [started_at(pid) for pid in pids] == [None] * 3


def test_a_part_that_is_missing_is_told_in_a_sentence(layout: Layout) -> None:
    shutil.rmtree(layout.root / "local" / "vault")

    up = stack(layout.root, "up", *WITHOUT)

    assert (up.returncode, up.stdout) == (2, "")
    assert up.stderr == "The part vault is not in this checkout: local/vault is missing.\n"


def test_a_port_that_is_taken_is_told_in_a_sentence(layout: Layout) -> None:
    stack(layout.root, "up", "--detach", *WITHOUT)
    port = httpx.URL(json.loads(layout.status.read_text())["parts"]["vault"]["address"]).port
    other = layout.root / "other"
    shutil.copytree(layout.root / "local", other / "local")

    up = stack(other, "up", *WITHOUT, "--port", f"vault={port}")

    assert (up.returncode, up.stdout) == (2, "")
    assert up.stderr == f"Port {port}, which was asked for vault, is in use on this machine.\n"


def test_a_package_that_is_missing_is_told_in_a_sentence(layout: Layout) -> None:
    (layout.root / "cryptography.py").write_text("raise ModuleNotFoundError(name='cryptography')")

    up = stack(layout.root, "up", *WITHOUT)

    assert (up.returncode, up.stderr) == (
        2,
        "The package cryptography is not installed; run `python3 local/setup.py`.\n",
    )


def test_it_is_ready_only_when_everything_about_it_was_said(layout: Layout) -> None:
    told: dict[str, object] = {}

    def say(line: str) -> None:
        told[line] = status_of(layout).get("state")
        if line.startswith("It stays up"):
            os.kill(os.getpid(), signal.SIGTERM)

    asyncio.run(hold(layout, Wish({}, frozenset(WITHOUT[1::2])), say))

    said = [state for line, state in told.items() if line.startswith(("Every address", "It stays up"))]
    assert said == ["starting"] * 2


def test_who_leaves_before_anything_was_begun_is_told_so(layout: Layout) -> None:
    (layout.root / "cryptography.py").write_text("raise KeyboardInterrupt")

    up = stack(layout.root, "up", *WITHOUT)

    assert (up.returncode, up.stdout, up.stderr) == (130, "", "\nLeft before anything was begun.\n")


@pytest.mark.parametrize("verdict", [0, 1])
def test_run_once_ends_with_the_storys_verdict(layout: Layout, verdict: int) -> None:
    story = layout.root / "local" / "story"
    story.mkdir()
    (story / "__init__.py").write_text(
        f"def tell(endpoints, once):\n    print(sorted(endpoints)[0], once)\n    return {verdict}\n"
    )

    ran = stack(layout.root, "run", "--once", *WITHOUT)

    assert (ran.returncode, "allegory True" in ran.stdout.splitlines()) == (verdict, True)
    assert ran.stdout.splitlines()[-1] == "The local stack is stopped; no process is left."
