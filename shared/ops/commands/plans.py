"""`tandem replay plan` and what follows it: many messages sent again, by a plan."""

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.ops.client import Service, Unreachable
from shared.ops.command import Answer, Mistyped, Told, amount, command, number
from shared.ops.commands import plan_screen

NAMES = ("plan", "list", "show", "run", "pause", "resume", "cancel", "report")

_POLL = 0.5
_PATIENCE = 60.0
"""Seconds for which a service that was asked already may be away: a worker that died comes back sooner."""

_GROWING = {"frozen", "running"}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def register(commands: Any) -> None:
    """Add the commands."""
    made = command(
        commands, "plan", plan, "freeze failures as a plan and tell what it would do; sends nothing"
    )
    made.add_argument("--group", metavar="G1,G2", help="of these failure groups (tandem failures groups)")
    made.add_argument("--system", metavar="S1,S2", help="of these systems")
    made.add_argument("--entity", metavar="E1,E2", help="of these entities or tables")
    made.add_argument("--record", metavar="R1,R2", help="of these records, by any of their ids")
    made.add_argument(
        "--since",
        type=_instant,
        metavar="TIME",
        help="failed last at or after: an instant, or 90m, 8h, 2d ago",
    )
    made.add_argument("--until", type=_instant, metavar="TIME", help="failed last before; as --since")
    made.add_argument("--all", action="store_true", help="everything that fails")
    command(commands, "list", listed, "the newest plans")
    shown = _about(commands, "show", show, "a plan: what it would do, and how far it is")
    shown.add_argument(
        "--follow", action="store_true", help="stay, and tell what changes until it stands still"
    )
    running = _about(commands, "run", run, "run a plan: a few records first, then growing waves")
    running.add_argument(
        "--canary", type=int, metavar="RECORDS", help="records that go first and are read back (5)"
    )
    running.add_argument("--rate", type=amount, metavar="RECORDS", help="records per second at most (50)")
    running.add_argument(
        "--stop-at-percent", type=amount, metavar="PERCENT", help="stop when more than this share fails (1)"
    )
    running.add_argument(
        "--stop-at-lag", type=amount, metavar="SECONDS", help="stop when live traffic lags more (30)"
    )
    _about(commands, "pause", act, "send nothing more until it is resumed")
    _about(commands, "resume", act, "go on with a plan that was paused or has stopped")
    _about(commands, "cancel", act, "end a plan; what it has not reached stays as it is")
    _about(commands, "report", report, "what became of every message of a plan")


def plan(service: Service, asked: argparse.Namespace) -> Answer:
    """Make a plan, and wait until it is foreseen."""
    if not any((asked.group, asked.system, asked.entity, asked.record, asked.since, asked.until, asked.all)):
        raise Mistyped("say which failures: --group (tandem failures groups), another choice, or --all")
    body: dict[str, Any] = {
        "groups": _list(asked.group),
        "systems": _list(asked.system),
        "entities": _list(asked.entity),
        "records": _list(asked.record),
        "since": asked.since,
        "until": asked.until,
        "everything": asked.all,
    }
    told = service.post("ops/plans", body)
    while told["state"] == "frozen":
        time.sleep(_POLL)
        told = _again(service, f"ops/plans/{told['plan']}")
    return told, plan_screen.prediction, told["heads"]["selected"] > 0


def listed(service: Service, asked: argparse.Namespace) -> Answer:
    """The newest plans."""
    del asked
    return service.get("ops/plans"), plan_screen.plans, True


def show(service: Service, asked: argparse.Namespace) -> Answer:
    """A plan; with --follow, each change of it as it comes."""
    told = service.get(f"ops/plans/{asked.plan}")
    while asked.follow and told["state"] in _GROWING:
        line = plan_screen.progress(told)
        time.sleep(_POLL)
        told = _again(service, f"ops/plans/{asked.plan}")
        if not asked.json and plan_screen.progress(told) != line:
            print(plan_screen.progress(told), file=sys.stderr, flush=True)
    return told, plan_screen.plan, told["state"] != "stopped"


def _again(service: Service, path: str) -> Told:
    """What a service answers that has answered before; raises Unreachable once it stays away."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return service.get(path)
        except Unreachable:
            if time.monotonic() > until:
                raise
            time.sleep(_POLL)


def run(service: Service, asked: argparse.Namespace) -> Answer:
    """Set a plan going."""
    policy = {
        "canary": asked.canary,
        "rate": asked.rate,
        "stop_percent": asked.stop_at_percent,
        "stop_lag": asked.stop_at_lag,
    }
    given = {name: value for name, value in policy.items() if value is not None}
    return service.post(f"ops/plans/{asked.plan}/run", given or None), plan_screen.moved, True


def act(service: Service, asked: argparse.Namespace) -> Answer:
    """Pause, resume or cancel a plan."""
    return service.post(f"ops/plans/{asked.plan}/{asked.action}"), plan_screen.moved, True


def report(service: Service, asked: argparse.Namespace) -> Answer:
    """What became of every message; bad news while the counts do not add up."""
    told = service.get(f"ops/plans/{asked.plan}/report")
    return told, plan_screen.report, bool(told["adds_up"])


def _about(commands: Any, name: str, ask: Any, about: str) -> argparse.ArgumentParser:
    added = command(commands, name, ask, about)
    added.add_argument("plan", type=number, help="the plan's number (tandem replay list)")
    added.set_defaults(action=name)
    return added


def _list(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []


def _instant(text: str) -> str:
    """An instant, or so long ago."""
    unit: Mapping[str, str] = _UNITS
    try:
        if text[-1:] in unit and text[:-1].isdigit():
            return (datetime.now(UTC) - timedelta(**{unit[text[-1]]: int(text[:-1])})).isoformat()
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError("an instant such as 2026-03-01T02:10Z, or 90m, 8h, 2d") from error
