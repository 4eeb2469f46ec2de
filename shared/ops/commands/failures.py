"""`tandem failures`: what did not go through."""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family, paged, pages
from shared.ops.screen import counted, more, second, table

_NOBODY = "unknown"
"""The system of messages that do not say which one they are from."""

_STATES = ("held", "retrying", "parked", "rejected")


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "failures", "what did not go through")
    command(mine, "groups", failures_groups, "what fails, by cause: how much, since when, and what to do")
    listing = command(mine, "list", failures_list, "open failures with their groups, newest message first")
    pages(listing, "the message")


def failures_groups(service: Service, asked: argparse.Namespace) -> Answer:
    """What fails, by cause."""
    del asked
    return service.get("ops/groups"), groups_screen, True


def failures_list(service: Service, asked: argparse.Namespace) -> Answer:
    """What is failing now."""
    return service.get("ops/failures", **paged(asked)), partial(screen, behind=asked.after), True


def groups_screen(told: Told) -> str:
    """Each group with its cause in plain words, and what to do; the largest first."""
    lines: list[str] = []
    for group in sorted(told["groups"], key=lambda each: (_is_refused(each), -each["open"])):
        where = f" in {group['field']}" if group["field"] else ""
        parts = [f"{group[state]} {state}" for state in _STATES if group[state]]
        whence = [f"{size} from {name}" for name, size in sorted(group["systems"].items()) if name != _NOBODY]
        whence += [f"{size} to {name}" for name, size in sorted(group["targets"].items())]
        whence += [f"sent by {group['sender']}"] if group["sender"] else []
        whence += [f"{size} of {name}" for name, size in sorted(group["units"].items())]
        span = f"{second(group['first_failed_at'])} to {second(group['last_failed_at'])}"
        lines += [
            f"{group['group']}  {group['open']} x {group['code']} on {group['table']}{where}",
            f"  {'; '.join([', '.join(parts), ', '.join(whence) or 'from nobody known'])}; failed {span}",
            f"  {group['cause']} Rule: {group['rule']}",
            f"  -> {group['advice']}",
        ]
    if not lines:
        return "Nothing is failing."
    lines.append("")
    if held := ",".join(each["group"] for each in told["groups"] if each["held"]):
        lines.append(
            f"Cause removed? See what sending them again would do: tandem replay plan --group {held}"
        )
    if refused := sum(each["rejected"] for each in told["groups"]):
        lines.append(
            f"Refused at the gate: {counted(refused, 'message')}, which hold nothing up and are in no plan. "
            "Each is in tandem failures list, for its sender to send anew; tandem skip <message> ends it."
        )
    return "\n".join(lines).strip()


def _is_refused(group: Told) -> bool:
    """Whether all of a group was refused at the gate and holds no lane."""
    return not any(group[state] for state in _STATES if state != "rejected")


def screen(told: Told, behind: int | None = None) -> str:
    """Groups first, then the failures themselves, then what was refused at the gate; once for all pages."""
    if not told["failures"] and not told["rejected"]:
        return f"Nothing is failing{' behind this one' if behind else ''}."
    lines: list[str] = []
    for group in [] if behind else told["groups"]:
        ticket = f"ticket {group['ticket']}" if group["ticket"] else "no ticket yet"
        lines.append(
            f"group {group['group']}  {group['open']} x {group['code']} on {group['table']}  ({ticket})"
        )
        lines.append(f"  {group['cause']} Rule: {group['rule']}")
        lines.append(f"  -> {group['advice']}")
        if (asked := _request_of(told, group["group"])) is not None:
            lines.append(f"  its support asks for the last request's id: {asked}")
    if told["failures"]:
        head = ("message", "subject", "state", "code", "far side", "tries", "next try", "behind it")
        lines += ["", *table(head, _failing(told))]
    if told["rejected"]:
        lines += ["", "Refused at the gate (the sender's to correct)"]
        lines += table(("message", "subject", "code", "field", "rule"), _refused(told))
    last = min(entry["number"] for entry in (*told["failures"], *told["rejected"]))
    lines += more(told, f"tandem failures list --after {last}")
    return "\n".join(lines).strip()


def _request_of(told: Told, group: str) -> str | None:
    """The far side's id of the request that failed last in a group."""
    ids = (entry["request_id"] for entry in told["failures"] if entry["group"] == group)
    return next((found for found in ids if found), None)


def _failing(told: Told) -> list[Sequence[str]]:
    return [
        (
            entry["message_id"],
            entry["subject"] or "",
            entry["state"],
            entry["code"],
            entry.get("far_side") or "",
            str(entry["attempts"]),
            second(entry["next_retry_at"], "a person"),
            str(entry["followers"]),
        )
        for entry in told["failures"]
    ]


def _refused(told: Told) -> list[Sequence[str]]:
    return [
        (
            entry["message_id"],
            entry["subject"] or "",
            fault["code"],
            fault["field"] or "(message)",
            fault["expected"],
        )
        for entry in told["rejected"]
        for fault in entry["faults"]
    ]
