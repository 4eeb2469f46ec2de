"""Holding the stack: one supervisor per checkout, from the first start to the last stop."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.stack.certificates import certificates_in
from local.stack.endpoints import write_endpoints
from local.stack.fault import NotReadyError
from local.stack.layout import Layout
from local.stack.lineup import NAMES, Lineup, check_machine
from local.stack.ports import pick_ports
from local.stack.process import kill_group, leash
from local.stack.settings import write_settings
from local.stack.supervisor import Supervisor, clear_leftovers

Say = Callable[[str], None]

_STAYS = "It stays up until `make down`, or Ctrl-C where it runs in a terminal."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for: ports that are fixed, and parts that they run themselves."""

    ports: Mapping[str, int]
    without: frozenset[str] = frozenset()


@contextlib.contextmanager
def sole_supervisor(layout: Layout) -> Iterator[None]:
    """Makes sure that there is one supervisor; the system lifts the lock however this process ends."""
    layout.state.mkdir(parents=True, exist_ok=True)
    # Opened without emptying it: until the lock is had, what it says belongs to its holder.
    with layout.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise NotReadyError(
                "The local stack of this checkout runs already; `make down` stops it."
            ) from fault
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def is_held(layout: Layout) -> bool:
    """Whether a supervisor of this checkout is alive."""
    if not layout.lock.exists():
        return False
    with layout.lock.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder(layout: Layout) -> int | None:
    """The process id of the supervisor of this checkout, or None if there is none."""
    if not is_held(layout):
        return None
    said = layout.lock.read_text()
    # Empty for the moment between taking the lock and writing to it.
    return int(said) if said else None


def status_of(layout: Layout) -> dict[str, Any]:
    """What the living supervisor last wrote of itself and its parts; empty if it has not written anything.

    A supervisor that was killed has left its last word behind; that is not taken for its successor's.
    """
    supervisor = holder(layout)
    if supervisor is None or not layout.status.exists():
        return {}
    status: dict[str, Any] = json.loads(layout.status.read_text())
    return status if status["pid"] == supervisor else {}


def _stop_on_signals() -> asyncio.Event:
    """An event that SIGINT, SIGTERM and SIGHUP set: Ctrl-C, `make down`, and a terminal that is closed."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _first(work: asyncio.Task[Any], stop: asyncio.Event) -> bool:
    """Waits for the work or the stop, whichever comes first; says whether the work is done."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
    return work.done()


async def _tell(layout: Layout, stop: asyncio.Event, *, once: bool) -> int | None:
    """Feeds the sample traffic in a process of its own. Its exit status, or None if it was stopped."""
    command = [sys.executable, "-m", "local.stack", "tell", *(["--once"] if once else [])]
    supervisor = os.getpid()
    teller = await asyncio.create_subprocess_exec(
        *command, cwd=layout.root, start_new_session=True, preexec_fn=lambda: leash(supervisor)
    )
    told = asyncio.create_task(teller.wait())
    if await _first(told, stop):
        return told.result()
    kill_group(teller.pid)
    await told
    return None


async def hold(layout: Layout, wish: Wish, say: Say, *, story: bool = False, once: bool = False) -> int:
    """Starts the stack, tells the story if asked, and holds the stack until a signal; the exit status.

    With `once` the end of the story is the end of the stack, and its status is the result.
    """
    with sole_supervisor(layout):
        for name in clear_leftovers(layout.status):
            say(f"Ended {name}, which an earlier supervisor had left behind.")
        names = [name for name in NAMES if name not in wish.without]
        check_machine(layout, names)
        certificates = certificates_in(layout.certificates)
        ports = pick_ports(wish.ports, layout.ports, wish.without)
        parts = [part for part in Lineup(layout, ports, certificates).parts() if part.name in names]
        supervisor = Supervisor(parts, layout, say=say, authority=certificates.authority)
        stop = _stop_on_signals()
        say(f"Starting the local stack; its state is in {layout.state}")
        starting = asyncio.create_task(supervisor.start())
        try:
            if not await _first(starting, stop):
                return 130
            starting.result()
            addresses = write_endpoints(layout, ports, certificates)
            # Again for a person who runs the host: the supervisor's own host found it before it started.
            write_settings(layout, ports, certificates)
            if "host" in names:
                say(f"The app answers on {addresses['functions']}")
            say(f"Every address, and a token per role, is in {layout.endpoints}")
            if not story:
                say(_STAYS)
            # Last: whoever waits for it shows what was said until then, and leaves.
            supervisor.ready()
            if story:
                status = await _tell(layout, stop, once=once)
                if once or status is None:
                    return status or 0
                say(_STAYS)
            await stop.wait()
            return 0
        finally:
            say("Stopping the local stack.")
            starting.cancel()
            await supervisor.stop()
            say("The local stack is stopped; no process is left.")
