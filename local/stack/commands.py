"""`tandem local ...` and `python -m local.stack ...`: what a person can ask of the stack of this checkout."""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from local.stack.fault import NotReadyError, PartFailedError, StackError
from local.stack.hold import Wish, hold, holder, is_held, status_of
from local.stack.layout import Layout, this_checkout
from local.stack.lineup import NAMES
from local.stack.ports import fixed_ports
from local.stack.process import started_at
from local.stack.supervisor import clear_leftovers

# The supervisor gives each of three levels of parts a few seconds; after this it is itself at fault.
_LONGEST_STOP = 20.0
_LONGEST_START = 180.0
_GLANCE = 0.05


def _say(line: str) -> None:
    # A terminal that was closed must not keep the supervisor from stopping its parts.
    with contextlib.suppress(OSError):
        print(line, flush=True)


def _wish(asked: argparse.Namespace) -> Wish:
    return Wish(fixed_ports(asked.port, os.environ), frozenset(asked.without))


def _again(asked: argparse.Namespace) -> list[str]:
    """The arguments that make another process ask for the same."""
    options: list[str] = []
    for port in asked.port:
        options += ["--port", port]
    for part in asked.without:
        options += ["--without", part]
    return options


def _wait_until_ready(layout: Layout, alive: Callable[[], bool], show: Callable[[], None]) -> bool:
    """Waits for the supervisor to say that it is ready; False if it ends before that."""
    deadline = time.monotonic() + _LONGEST_START
    while alive():
        show()
        if status_of(layout).get("state") == "ready":
            return True
        if time.monotonic() > deadline:
            raise PartFailedError(f"The stack is not up after {_LONGEST_START:g} s; see {layout.logs}.")
        time.sleep(_GLANCE)
    show()
    return False


def _up_behind(layout: Layout, asked: argparse.Namespace) -> int:
    """Starts a supervisor that outlives this process, and shows what it says until it is ready."""
    layout.logs.mkdir(parents=True, exist_ok=True)
    log = layout.log_of("stack")
    with log.open("wb") as output, log.open("r") as shown:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "local.stack", "up", *_again(asked)],
            cwd=layout.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def show() -> None:
            sys.stdout.write(shown.read())
            sys.stdout.flush()

        try:
            ready = _wait_until_ready(layout, lambda: supervisor.poll() is None, show)
        except KeyboardInterrupt:
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait()
            return 130
        show()
    return 0 if ready else supervisor.returncode or 1


def up(asked: argparse.Namespace) -> int:
    """Brings the stack up; if it is up already, waits until it is ready and says so."""
    layout = this_checkout()
    if is_held(layout):
        if not _wait_until_ready(layout, lambda: is_held(layout), lambda: None):
            raise PartFailedError("The stack that was starting has ended; see `tandem local logs stack`.")
        _say(f"The local stack is up already; every address is in {layout.endpoints}")
        return 0
    if asked.detach:
        return _up_behind(layout, asked)
    return asyncio.run(hold(layout, _wish(asked), _say))


def run(asked: argparse.Namespace) -> int:
    """Brings the stack up, feeds it the sample traffic, and says what became of it."""
    layout = this_checkout()
    if is_held(layout):
        _say("The local stack is up already; the sample traffic goes to it, and it stays up afterwards.")
        _wait_until_ready(layout, lambda: is_held(layout), lambda: None)
        return tell(asked)
    return asyncio.run(hold(layout, _wish(asked), _say, story=True, once=asked.once))


def tell(asked: argparse.Namespace) -> int:
    """Feeds the sample traffic to the stack that is up."""
    from local.stack.telling import tell_story  # noqa: PLC0415 - the story's imports are many, and only it needs them

    return tell_story(this_checkout(), once=asked.once)


def down(_asked: argparse.Namespace) -> int:
    """Stops the stack and waits until no process of it is left."""
    layout = this_checkout()
    supervisor = holder(layout)
    if supervisor is None:
        cleared = clear_leftovers(layout.status)
        _say("The local stack was not running.")
        if cleared:
            _say(f"Ended what an earlier supervisor had left behind: {', '.join(cleared)}.")
        return 0
    _say("Stopping the local stack.")
    os.kill(supervisor, signal.SIGTERM)
    deadline = time.monotonic() + _LONGEST_STOP
    while started_at(supervisor) is not None:
        if time.monotonic() > deadline:
            os.kill(supervisor, signal.SIGKILL)
            clear_leftovers(layout.status)
            _say("It did not stop by itself and was ended.")
            return 1
        time.sleep(_GLANCE)
    _say("The local stack is stopped; no process is left.")
    return 0


def status(_asked: argparse.Namespace) -> int:
    """Prints the parts and how they are; exit status 0 if the stack is ready, 1 otherwise."""
    layout = this_checkout()
    known = status_of(layout)
    if not known:
        _say(f"The local stack is {'starting' if is_held(layout) else 'not running; `make up` starts it'}.")
        return 1
    _say(f"The local stack is {known['state']}, supervisor {known['pid']}, since {known['since']}")
    _say(f"{'part':<10} {'state':<10} {'restarts':>8}  {'process':>8}  address")
    parts: dict[str, dict[str, Any]] = known["parts"]
    for name, part in parts.items():
        pid = part["pid"] or "-"
        _say(f"{name:<10} {part['state']:<10} {part['restarts']:>8}  {pid:>8}  {part['address']}")
    return 0 if known["state"] == "ready" else 1


def logs(asked: argparse.Namespace) -> int:
    """Prints the end of a part's log and, if asked, what comes after it."""
    log = this_checkout().log_of(asked.part)
    if not log.exists():
        raise NotReadyError(f"There is no log of {asked.part} yet; `make up` starts the stack.")
    with log.open(errors="replace") as lines:
        print("".join(lines.readlines()[-asked.lines :]), end="", flush=True)
        try:
            while asked.follow:
                print(lines.read(), end="", flush=True)
                time.sleep(_GLANCE)
        except KeyboardInterrupt:
            return 0
    return 0


def _guarded(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command with its faults told in a sentence instead of a traceback."""

    def guarded(asked: argparse.Namespace) -> int:
        try:
            return command(asked)
        except StackError as fault:
            print(fault, file=sys.stderr)
            return fault.exit_status

    return guarded


def _starting_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", action="append", default=[], metavar="NAME=N", help="fix a port, for example host=7071"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=NAMES,
        metavar="PART",
        help=f"leave out a part that you run yourself: {', '.join(NAMES)}",
    )


# argparse gives the type no public name.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - there is no other


def _added(subparsers: Subparsers, name: str, about: str) -> argparse.ArgumentParser:
    return subparsers.add_parser(name, help=about, description=about)


def add_commands(subparsers: Subparsers) -> None:
    """Adds up, down, status and logs."""
    bringing_up = _added(subparsers, "up", "start every part and wait until all of them answer")
    bringing_up.add_argument(
        "--detach", action="store_true", help="return once it is up, and leave it running"
    )
    _starting_options(bringing_up)
    bringing_up.set_defaults(handler=_guarded(up))
    _added(subparsers, "down", "stop every part").set_defaults(handler=_guarded(down))
    _added(subparsers, "status", "how the parts are").set_defaults(handler=_guarded(status))
    showing = _added(subparsers, "logs", "the end of a part's log")
    showing.add_argument("part", metavar="part", choices=(*NAMES, "stack"), help=", ".join((*NAMES, "stack")))
    showing.add_argument("--lines", type=int, default=50, metavar="N", help="how many lines (50)")
    showing.add_argument("--follow", "-f", action="store_true", help="stay, and show what is added")
    showing.set_defaults(handler=_guarded(logs))


def add_story_commands(subparsers: Subparsers) -> None:
    """Adds run and tell, which feed the sample traffic."""
    running = _added(subparsers, "run", "start the stack, feed it sample traffic, show what happened")
    running.add_argument(
        "--once", action="store_true", help="stop afterwards; status 1 if any is unexplained"
    )
    _starting_options(running)
    running.set_defaults(handler=_guarded(run))
    telling = _added(subparsers, "tell", "feed sample traffic to the stack that is up")
    telling.add_argument("--once", action="store_true", help="end when every message has an outcome")
    telling.set_defaults(handler=_guarded(tell))


def commands(subparsers: Subparsers) -> None:
    """Registers `tandem local`; each command sets `handler`, from the arguments to an exit status."""
    local = _added(subparsers, "local", "the local stack of this checkout")
    add_commands(local.add_subparsers(required=True))
