"""What the supervisor promises about the processes of its parts, tried with small parts made for it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from local.stack.fault import NotReadyError, PartFailedError
from local.stack.hold import sole_supervisor
from local.stack.keeper import Patience
from local.stack.layout import Layout
from local.stack.part import Part
from local.stack.ports import NAMES, pick_ports
from local.stack.process import started_at
from local.stack.supervisor import Supervisor, clear_leftovers

# A part that answers on its port. What follows the port on its command line makes it difficult.
FAKE_PART = """
import http.server, os, pathlib, signal, subprocess, sys, time
port, traits = int(sys.argv[1]), sys.argv[2:]
pathlib.Path(f"{port}.started").touch()
for trait in traits:
    name, _, value = trait.partition("=")
    if name == "dies":
        sys.exit("the disk is full")
    if name == "dies-once" and not pathlib.Path(f"{port}.died").exists():
        pathlib.Path(f"{port}.died").touch()
        sys.exit("not yet")
    if name == "deaf":
        signal.pause()
    if name == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if name == "meets":
        while not pathlib.Path(f"{value}.started").exists():
            time.sleep(0.01)
    if name == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        pathlib.Path("child.pid").write_text(str(child.pid))

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if "ill" in traits else 200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

http.server.HTTPServer(("127.0.0.1", port), Health).serve_forever()
"""

QUICK = Patience(start=60, stop=0.5, first_pause=0.01, longest_pause=0.05)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "fake_part.py").write_text(FAKE_PART)
    return Layout(tmp_path)


@pytest.fixture
def ports(layout: Layout) -> Iterator[int]:
    return iter(pick_ports({}, layout.ports).values())


def fake(name: str, port: int, *traits: str, after: tuple[str, ...] = (), any_answer: bool = False) -> Part:
    return Part(
        name,
        (sys.executable, "-S", "fake_part.py", str(port), *traits),
        health=f"http://127.0.0.1:{port}/",
        after=frozenset(after),
        any_answer=any_answer,
        address=f"http://127.0.0.1:{port}",
    )


@asynccontextmanager
async def supervised(
    layout: Layout, *parts: Part, said: list[str] | None = None, patience: Patience = QUICK
) -> AsyncIterator[Supervisor]:
    lines: list[str] = [] if said is None else said
    supervisor = Supervisor(parts, layout, say=lines.append, patience=patience)
    await supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - other processes have no event to wait for
            await asyncio.sleep(0.01)


def pid_of(layout: Layout, part: str) -> int:
    return int(json.loads(layout.status.read_text())["parts"][part]["pid"])


def is_running(pid: int) -> bool:
    return started_at(pid) is not None


async def test_a_part_starts_after_those_it_needs(layout: Layout, ports: Iterator[int]) -> None:
    said: list[str] = []
    last, first, middle = next(ports), next(ports), next(ports)

    async with supervised(
        layout,
        fake("last", last, after=("middle", "first")),
        fake("first", first),
        fake("middle", middle, after=("first",)),
        said=said,
    ):
        assert [line.split()[0] for line in said] == ["first", "middle", "last", "All"]


async def test_parts_that_need_nobody_start_side_by_side(layout: Layout, ports: Iterator[int]) -> None:
    one, other = next(ports), next(ports)

    # Each answers only once the other has started, so one after the other would never get anywhere.
    async with supervised(
        layout, fake("one", one, f"meets={other}"), fake("other", other, f"meets={one}")
    ) as supervisor:
        assert supervisor.all_ready


async def test_the_status_file_tells_how_each_part_is(layout: Layout, ports: Iterator[int]) -> None:
    port = next(ports)
    async with supervised(layout, fake("desk", port)) as supervisor:
        supervisor.ready()
        status = json.loads(layout.status.read_text())

    pid = status["parts"]["desk"]["pid"]
    assert status == {
        "state": "ready",
        "pid": os.getpid(),
        "since": status["since"],
        "parts": {
            "desk": {
                "state": "ready",
                "address": f"http://127.0.0.1:{port}",
                "health": f"http://127.0.0.1:{port}/",
                "pid": pid,
                "started": status["parts"]["desk"]["started"],
                "restarts": 0,
                "log": str(layout.logs / "desk.log"),
            }
        },
    }
    after = json.loads(layout.status.read_text())
    assert (after["state"], after["parts"]["desk"]["state"]) == ("stopped", "stopped")
    assert not is_running(pid)


async def test_a_part_that_dies_comes_back_on_its_port_and_the_person_is_told(
    layout: Layout, ports: Iterator[int]
) -> None:
    said: list[str] = []
    prepared: list[str] = []
    port = next(ports)
    part = fake("desk", port)
    part = Part(part.name, part.command, part.health, prepare=lambda: prepared.append("desk"))

    async with supervised(layout, part, said=said):
        killed = pid_of(layout, "desk")
        os.kill(killed, signal.SIGKILL)
        await until(lambda: any("answers again" in line for line in said))
        async with httpx.AsyncClient(trust_env=False) as http:
            serving = int((await http.get(f"http://127.0.0.1:{port}/")).text)

    assert serving != killed
    assert prepared == ["desk", "desk"]
    assert said[-2:] == [
        f"The part desk ended with status -9; starting it again in 0.01 s. Log: {layout.logs / 'desk.log'}",
        "The part desk answers again (restart 1).",
    ]


async def test_a_part_is_started_again_until_it_comes_back(layout: Layout, ports: Iterator[int]) -> None:
    said: list[str] = []
    port = next(ports)
    (layout.root / f"{port}.died").touch()

    async with supervised(layout, fake("desk", port, "dies-once"), said=said):
        (layout.root / f"{port}.died").unlink()
        os.kill(pid_of(layout, "desk"), signal.SIGKILL)
        await until(lambda: any("answers again" in line for line in said))

    assert [line.partition(";")[0] for line in said[-3:]] == [
        "The part desk ended with status -9",
        "The part desk did not come back (PartFailedError)",
        "The part desk answers again (restart 2).",
    ]


async def test_a_part_that_cannot_start_is_named_with_its_last_words_and_nothing_stays(
    layout: Layout, ports: Iterator[int]
) -> None:
    good, bad = next(ports), next(ports)

    with pytest.raises(PartFailedError, match=r"^The part bad ended with status 1 .*: the disk is full \("):
        async with supervised(layout, fake("good", good), fake("bad", bad, "dies", after=("good",))):
            pytest.fail("the start was reported as good")

    assert not is_running(pid_of(layout, "good"))


@pytest.mark.parametrize("trait", ["deaf", "ill"])
async def test_a_part_that_never_is_well_ends_the_start(
    layout: Layout, ports: Iterator[int], trait: str
) -> None:
    with pytest.raises(PartFailedError, match=r"^The part desk did not answer within 0\.3 s"):
        async with supervised(
            layout, fake("desk", next(ports), trait), patience=Patience(start=0.3, stop=0.5)
        ):
            pytest.fail("the start was reported as good")

    assert not is_running(pid_of(layout, "desk"))


async def test_any_answer_is_enough_where_the_part_has_no_health_address(
    layout: Layout, ports: Iterator[int]
) -> None:
    async with supervised(layout, fake("azurite", next(ports), "ill", any_answer=True)) as supervisor:
        assert supervisor.all_ready


async def test_a_program_that_is_not_there_ends_the_start_in_a_sentence(layout: Layout) -> None:
    part = Part("desk", ("/nowhere/program",), health="http://127.0.0.1:9/")

    with pytest.raises(PartFailedError, match=r"^A part could not be started: .*/nowhere/program"):
        async with supervised(layout, part):
            pytest.fail("the start was reported as good")


async def test_a_part_that_will_not_stop_is_ended_with_all_that_it_started(
    layout: Layout, ports: Iterator[int]
) -> None:
    async with supervised(layout, fake("desk", next(ports), "stubborn", "parent")):
        pids = [pid_of(layout, "desk"), int((layout.root / "child.pid").read_text())]
        assert [is_running(pid) for pid in pids] == [True, True]

    await until(lambda: not any(is_running(pid) for pid in pids))


async def test_the_children_of_a_part_that_died_are_ended_before_it_starts_again(
    layout: Layout, ports: Iterator[int]
) -> None:
    said: list[str] = []
    async with supervised(layout, fake("desk", next(ports), "parent"), said=said):
        child = int((layout.root / "child.pid").read_text())
        os.kill(pid_of(layout, "desk"), signal.SIGKILL)
        await until(lambda: any("answers again" in line for line in said))
        await until(lambda: not is_running(child))


async def test_a_parts_chore_is_done_while_it_runs(layout: Layout, ports: Iterator[int]) -> None:
    done: list[int] = []
    plain = fake("crm", next(ports))

    async with supervised(layout, Part(plain.name, plain.command, plain.health, tend=lambda: done.append(1))):
        await until(lambda: len(done) >= 2)


def test_parts_that_wait_for_each_other_are_refused(layout: Layout) -> None:
    with pytest.raises(NotReadyError, match=r"^These parts wait for each other: one, other\.$"):
        Supervisor(
            [fake("one", 1, after=("other",)), fake("other", 2, after=("one",))],
            layout,
            say=lambda _line: None,
        )


async def test_an_earlier_log_is_kept_beside_the_new_one(layout: Layout, ports: Iterator[int]) -> None:
    layout.logs.mkdir(parents=True)
    layout.log_of("desk").write_text("yesterday")

    async with supervised(layout, fake("desk", next(ports))):
        pass

    assert (layout.logs / "desk.log.1").read_text() == "yesterday"


SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from local.stack.layout import Layout
from local.stack.part import Part
from local.stack.supervisor import Supervisor

async def main():
    parts = [
        Part(f"part{port}", (sys.executable, "-S", "fake_part.py", port, "stubborn"), f"http://127.0.0.1:{port}/")
        for port in sys.argv[1:]
    ]
    supervisor = Supervisor(parts, Layout(Path.cwd()), say=print)
    await supervisor.start()
    supervisor.ready()
    await asyncio.Event().wait()

asyncio.run(main())
"""


def _killed_supervisor(layout: Layout, *ports: int) -> list[int]:
    """Starts a supervisor, kills it with SIGKILL once its parts answer; the ids of its parts' processes."""
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, *map(str, ports)],
        cwd=layout.root,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
    ) as supervisor:
        deadline = time.monotonic() + 60
        while not layout.status.exists() or json.loads(layout.status.read_text())["state"] != "ready":
            assert time.monotonic() < deadline, "the parts did not come up"
            assert supervisor.poll() is None, "the supervisor ended"
        pids = [pid_of(layout, f"part{port}") for port in ports]
        assert all(is_running(pid) for pid in pids)
        supervisor.kill()
    return pids


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
async def test_killing_the_supervisor_leaves_nothing_behind(layout: Layout, ports: Iterator[int]) -> None:
    pids = _killed_supervisor(layout, next(ports), next(ports))

    await until(lambda: not any(is_running(pid) for pid in pids))


def test_a_process_that_was_left_behind_is_ended_and_a_stranger_with_its_number_is_not(
    layout: Layout,
) -> None:
    sleeping = [sys.executable, "-c", "import signal; signal.pause()"]
    with (
        subprocess.Popen(sleeping, start_new_session=True) as left,
        subprocess.Popen(sleeping, start_new_session=True) as stranger,
    ):
        rows = {
            "left": {"pid": left.pid, "started": started_at(left.pid)},
            "stranger": {"pid": stranger.pid, "started": "long ago"},
            "never": {"pid": None, "started": None},
        }
        layout.state.mkdir(exist_ok=True)
        layout.status.write_text(json.dumps({"parts": rows}))
        try:
            assert clear_leftovers(layout.status) == ["left"]
            assert left.wait() == -signal.SIGKILL
            assert stranger.poll() is None
        finally:
            left.kill()
            stranger.kill()


def test_a_checkout_has_one_supervisor_at_a_time(layout: Layout) -> None:
    with (
        sole_supervisor(layout),
        pytest.raises(NotReadyError, match=r"runs already"),
        sole_supervisor(layout),
    ):
        pytest.fail("a second supervisor was let in")
    with sole_supervisor(layout):
        assert layout.lock.exists()


def test_every_part_has_a_port_of_its_own(layout: Layout, ports: Iterator[int]) -> None:
    assert len(set(ports)) == len(NAMES)
