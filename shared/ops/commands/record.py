"""`tandem record`: everything that happened to one record."""

import argparse
from collections.abc import Iterable
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "record", "one record")
    show = command(mine, "show", record_show, "everything that happened to a record")
    show.add_argument("id", help="a row's GUID, system:entity:id, a legacy id, or a message id")


def record_show(service: Service, asked: argparse.Namespace) -> Answer:
    """The history of a record."""
    return service.record(asked.id), screen, True


def screen(told: Told) -> str:
    """The history of a record, or of each record an id may mean."""
    parts = [_one_record(entry) for entry in told["records"]]
    parts += [_refusal(entry) for entry in told["messages"]]
    return "\n\n".join(parts)


def _one_record(entry: Told) -> str:
    keys = ", ".join(f"{key['key']} ({key['state']})" for key in entry["crosswalk"]) or "no legacy record"
    lines = [f"record {entry['record']}  =  {keys}"]
    for message in entry["messages"]:
        origin = message["subject"] or "?"
        lines.append(
            f"{message['received_at'][:19]}  {message['status']:<10} {origin}  "
            f"message {message['message_id']}"
        )
        if message["reason"]:
            lines.append(f"    {message['reason']}")
        for decision in message["decisions"]:
            lines += _decision(decision)
    if entry["lane"] and entry["lane"]["items"]:
        lines.append("in the lane now:")
        for item in entry["lane"]["items"]:
            due = f", due {item['due_at'][:19]}" if item["due_at"] else ""
            waits = f", waits on {item['waits_on']}" if item["waits_on"] else ""
            lines.append(f"    {item['state']:<9} {item['message_id']}{due}{waits}")
    return "\n".join(lines)


def _decision(decision: Told) -> Iterable[str]:
    version = decision["map_version"]
    yield f"    {decision['at'][:19]}  {decision['outcome']}: {decision['reason']}  [{version}]"
    for column, change in sorted(decision["changes"].items()):
        yield f"        {column}: {change['before']!r} -> {change['after']!r}"


def _refusal(message: Told) -> str:
    lines = [f"message {message['message_id']}  {message['status']}  received {message['received_at'][:19]}"]
    lines += [
        f"    {fault['field'] or '(message)'}: {fault['code']}: {fault['expected']}"
        for fault in message["faults"]
    ]
    return "\n".join(lines)
