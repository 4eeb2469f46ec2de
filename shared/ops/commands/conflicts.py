"""`tandem conflicts`: what both sides changed and a person is to decide."""

import argparse
import json
import math
from functools import partial
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Mistyped, Told, command, family, number, paged, pages, why
from shared.ops.screen import MASKED, more, second, value


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "conflicts", "what both sides changed and a person is to decide")
    listing = command(mine, "list", conflicts_list, "the conflicts that wait for a person, the oldest first")
    pages(listing, "the conflict")
    show = command(mine, "show", conflicts_show, "one conflict: what was agreed, and what each side holds")
    show.add_argument("id", type=number, help="the conflict's number")
    settle = command(mine, "settle", conflicts_settle, "decide a conflict; both sides then get that value")
    settle.add_argument("id", type=number, help="the conflict's number")
    settle.add_argument(
        "--take",
        required=True,
        choices=("inbound", "outbound", "value"),
        help="what the legacy system holds, what Dataverse holds, or --value",
    )
    settle.add_argument("--value", help="the value to take, as JSON or plain text; null for none")
    settle.add_argument("--reason", required=True, type=why, help="why; kept with the decision")


def conflicts_list(service: Service, asked: argparse.Namespace) -> Answer:
    """What waits for a person."""
    return service.get("ops/conflicts", **paged(asked)), partial(listed, behind=asked.after), True


def conflicts_show(service: Service, asked: argparse.Namespace) -> Answer:
    """One conflict."""
    return service.get(f"ops/conflicts/{asked.id}"), shown, True


def conflicts_settle(service: Service, asked: argparse.Namespace) -> Answer:
    """Decide a conflict."""
    body: dict[str, Any] = {"take": asked.take, "reason": asked.reason}
    if (asked.take == "value") != (asked.value is not None):
        raise Mistyped(
            "--take value goes with --value, and with nothing else; --value null empties the column"
        )
    if asked.take == "value":
        body["value"] = _value(asked.value)
    return service.post(f"ops/conflicts/{asked.id}/settlement", body), settled, True


def _value(text: str) -> Any:
    """A value as typed: JSON where it is a number, a truth or null, text otherwise."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    is_number = not isinstance(found, float) or math.isfinite(found)
    return found if is_number and not isinstance(found, dict | list) else text


def listed(told: Told, behind: int | None = None) -> str:
    """A line or two per conflict."""
    if not told["conflicts"]:
        return f"No conflict waits for a person{' behind this one' if behind else ''}."
    lines: list[str] = []
    for entry in told["conflicts"]:
        decided = "  (decided, its lane has yet to carry it out)" if entry["state"] == "decided" else ""
        since = second(entry["opened_at"])
        legacy, dataverse, agreed = (value(entry[side]) for side in ("inbound", "outbound", "agreed"))
        lines += [
            f"{entry['id']}  {entry['subject']}  {entry['column']}  since {since}{decided}",
            f"    legacy {legacy}   Dataverse {dataverse}   agreed before {agreed}",
        ]
    if any(entry.get("masked") for entry in told["conflicts"]):
        lines.append(MASKED)
    lines += more(told, f"tandem conflicts list --after {told['conflicts'][-1]['id']}")
    lines += ["", "To decide one: tandem conflicts settle <id> --take inbound|outbound|value --reason ..."]
    return "\n".join(lines)


def shown(told: Told) -> str:
    """All that is known of one conflict."""
    lines = [
        f"conflict {told['id']}  {told['state']}",
        f"  record     {told['subject']}  ({told['record']})",
        f"  column     {told['column']}",
        f"  legacy     {value(told['inbound'])}",
        f"  Dataverse  {value(told['outbound'])}",
        f"  before     {value(told['agreed'])}",
        f"  since      {second(told['opened_at'])}, last changed {second(told['changed_at'])}",
    ]
    if told["decided_by"]:
        by = f"by {told['decided_by']} at {second(told['decided_at'])}"
        lines.append(f"  decided    {value(told['value'])} {by}: {told['reason']}")
    if told["over_at"]:
        lines.append(f"  over       {second(told['over_at'])}: {told['ended']}")
    if told.get("masked"):
        lines.append(MASKED)
    return "\n".join(lines)


def settled(told: Told) -> str:
    """What happens next."""
    return (
        f"Conflict {told['conflict']} on {told['column']} is decided; its record's lane carries it out.\n"
        f"If a side changes before that, it is asked again: tandem conflicts show {told['conflict']}"
    )
