"""`tandem phases`: how far the move has come, and who decides what meanwhile."""

import argparse
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family, why
from shared.ops.screen import second, table

_PHASES = ("legacy_master", "shadow_read", "coexist", "dynamics_master", "retired")
_OWNERS = ("legacy", "dataverse", "newest", "person")


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "phases", "how far the move has come, and who decides what")
    command(mine, "list", phases_list, "the phase of every entity and unit, and the ownership matrix")
    command(mine, "history", phases_history, "how phases changed, by whom and why")
    move = command(mine, "set", phases_set, "move an entity one phase on, or back")
    _what(move)
    move.add_argument("phase", choices=_PHASES)
    move.add_argument("--unit", default="", help="one business unit with those below it: its name, or its id")
    own = command(mine, "own", phases_own, "lay down who decides a column")
    _what(own)
    own.add_argument("column", help="the Dataverse column")
    own.add_argument("owner", choices=_OWNERS)
    own.add_argument("--phase", default="", choices=_PHASES, help="in this phase alone")


def _what(added: argparse.ArgumentParser) -> None:
    added.add_argument("system", help="the legacy system")
    added.add_argument("entity", help="its entity, as in the mapping tables; '*' for every one")
    added.add_argument("--reason", required=True, type=why, help="why; kept with the change")


def phases_list(service: Service, asked: argparse.Namespace) -> Answer:
    """Every phase and every line of the matrix."""
    del asked
    return service.get("ops/phases"), listed, True


def phases_history(service: Service, asked: argparse.Namespace) -> Answer:
    """How phases changed."""
    del asked
    return service.get("ops/phases"), changes, True


def phases_set(service: Service, asked: argparse.Namespace) -> Answer:
    """Move an entity to another phase."""
    names = ("system", "entity", "unit", "phase", "reason")
    return service.post("ops/phases", {name: getattr(asked, name) for name in names}), moved, True


def phases_own(service: Service, asked: argparse.Namespace) -> Answer:
    """Lay down who decides a column."""
    names = ("system", "entity", "column", "owner", "phase", "reason")
    return service.post("ops/owners", {name: getattr(asked, name) for name in names}), owned, True


def listed(told: Told) -> str:
    """A line per entity, then a line per column that somebody owns."""
    rows = [
        (
            line["system"],
            line["entity"],
            _unit(line),
            line["phase"],
            f"{second(line['changed_at'])} by {line['changed_by']}" if line["changed_at"] else "never set",
        )
        for line in told["phases"]
    ]
    lines = table(("system", "entity", "unit", "phase", "since"), rows)
    if told["owners"]:
        columns = [
            (line["system"], line["entity"], line["column"], line["owner"], line["phase"] or "any")
            for line in told["owners"]
        ]
        lines += ["", "Laid down for single columns"]
        lines += table(("system", "entity", "column", "who decides", "phase"), columns)
    return "\n".join(lines)


def changes(told: Told) -> str:
    """The last changes, newest first."""
    if not told["history"]:
        return "No phase was ever set."
    rows = [
        (
            second(each["changed_at"], "?"),
            each["system"],
            each["entity"],
            _unit(each),
            f"{each['before']} -> {each['after']}",
            each["changed_by"],
            each["reason"],
        )
        for each in told["history"]
    ]
    return "\n".join(table(("when", "system", "entity", "unit", "step", "by", "why"), rows))


def _unit(line: Told) -> str:
    return line["unit_name"] or line["unit"] or "all"


def moved(told: Told) -> str:
    """What was before and what is now."""
    unit = f" of {_unit(told)}" if told["unit"] else ""
    return (
        f"{told['system']} {told['entity']}{unit}: {told['before']} -> {told['phase']}. "
        "Every worker goes by it within two seconds."
    )


def owned(told: Told) -> str:
    """Who decides now."""
    when = f"in {told['phase']}" if told["phase"] else "in any phase"
    return f"{told['system']} {told['entity']} {told['column']}: {told['owner']} decides, {when}."
