"""`tandem record`: everything that happened to one record, and what was believed of it at any time."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from shared.core.codes import EXPLANATIONS
from shared.core.identity import DATAVERSE
from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family
from shared.ops.screen import MASKED, reached, second, value

_NOT_THROUGH = ("failed", "parked", "rejected")


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "record", "one record, by any id that anybody has of it")
    show = command(mine, "show", record_show, "everything that happened to a record")
    show.add_argument("id", help="a row's GUID, system:entity:id, a legacy id, or a message id")
    show.add_argument(
        "--as-of", metavar="TIME", help="what was believed then (ISO 8601 with an offset) instead"
    )
    show.add_argument(
        "--masked", action="store_true", help="without personal data, as a reader sees it (shared screens)"
    )


def record_show(service: Service, asked: argparse.Namespace) -> Answer:
    """The history of a record, or what was believed of it."""
    wanted = {"as_of": asked.as_of} if asked.as_of else {}
    told = service.record(asked.id, **wanted, **({"masked": "true"} if asked.masked else {}))
    return told, believed if asked.as_of else screen, True


def screen(told: Told) -> str:
    """The history of a record, or of each record an id may mean."""
    parts = [_one_record(entry) for entry in told["records"]]
    parts += [_refusal(entry) for entry in told["messages"]]
    return "\n\n".join(parts)


def believed(told: Told) -> str:
    """What was believed of each record at the instant asked for."""
    return "\n\n".join(_as_of(entry) for entry in told["records"])


def _one_record(entry: Told) -> str:
    lines = [_head(entry)]
    for message in entry["messages"]:
        lines += _message(message)
        lines += _lost(message, entry["conflicts"])
    if entry["lane"] and entry["lane"]["items"]:
        lines.append("in the lane now, in this order:")
        for place, item in enumerate(entry["lane"]["items"], 1):
            due = f", due {second(item['due_at'])}" if item["due_at"] else ""
            waits = f", waits on {item['waits_on']}" if item["waits_on"] else ""
            lines.append(f"    {place}. {item['state']:<9} {item['message_id']}{due}{waits}")
        lines += _pending(entry["lane"].get("pending"))
    if entry.get("masked"):
        lines.append(MASKED)
    return "\n".join(lines)


def _head(entry: Told) -> str:
    keys = ", ".join(f"{key['key']} ({key['state']})" for key in entry["crosswalk"]) or "no legacy record"
    expected = entry.get("expected", ())
    soon = ", ".join(map(reached, expected))
    return f"record {entry['record']}  =  {keys}" + (f"\nto be expected: {soon}" if soon else "")


def _pending(write: Told | None) -> Iterable[str]:
    """Where the record's pending write is: in no workbook yet, or in which."""
    if write is None:
        return
    where = f"in {write['file']}" if write["file"] else "in no workbook yet"
    written = f", written {second(write['written_at'])}" if write["written_at"] else ""
    about = f"{write['asked']} in {write['system']}, {where}{written}"
    yield f"    pending since {second(write['queued_at'])}: {about}"


def _message(message: Told) -> Iterable[str]:
    healed = "  HEALED: no message came, the gap detector noticed" if message.get("healed") else ""
    yield (
        f"{second(message['received_at'])}  {message['status']:<10} {message['subject'] or '?'}  "
        f"message {message['message_id']}{healed}"
    )
    about = [f"changed {second(message['changed_at'])}" if message["changed_at"] else ""]
    about += [
        f"{word} {message[name]}"
        for word, name in (
            ("by", "actor"),
            ("sent by", "sender"),
            ("trace", "correlation_id"),
            ("ticket", "ticket"),
            ("far side's request", "request_id"),
        )
        if message.get(name)
    ]
    if message.get("far_side") and message["status"] in _NOT_THROUGH:
        about.append(f"not taken by {message['far_side']}")
    yield "    " + "  ".join(part for part in about if part)
    if faults := message.get("faults"):
        yield from _faults(faults)
    elif message["reason"] and message["reason"] not in [each["reason"] for each in message["decisions"]]:
        yield f"    {message['reason']}"
    for decision in message["decisions"]:
        yield from _decision(decision)
    for system, phase in sorted(message.get("begun_in", {}).items()):
        yield f"    a write begun in phase {phase} of {system} is not answered: the next try is decided in it"


def _decision(decision: Told) -> Iterable[str]:
    version = f"  [{decision['map_version']}]" if decision["map_version"] else ""
    yield f"    {second(decision['at'])}  {decision['outcome']}: {decision['reason']}{version}"
    for system, phase in sorted(decision.get("decided_in", {}).items()):
        yield f"        decided in phase {phase} of {system}, in which its write had begun"
    for column, change in sorted(decision["changes"].items()):
        # What was agreed anew as it was is no news to a person; --json has it.
        if change["before"] == change["after"]:
            continue
        yield f"        {column}: {value(change['before'])} -> {value(change['after'])}"


def _lost(message: Told, conflicts: Sequence[Told]) -> Iterable[str]:
    """The values that gave way, which no before and after shows."""
    for each in conflicts:
        if each["number"] != message["number"] or not each["winner"]:
            continue
        speaker = (message["subject"] or "").partition(":")[0]
        won_inbound = (each["winner"] == speaker) is (speaker != DATAVERSE)
        yield f"        {each['column']}: lost {value(each['outbound' if won_inbound else 'inbound'])}"


def _refusal(message: Told) -> str:
    lines = [
        f"message {message['message_id']}  {message['status']}  received {second(message['received_at'])}"
    ]
    return "\n".join([*lines, *_faults(message["faults"])])


def _faults(faults: Sequence[Told]) -> list[str]:
    """Each fault, then what to do about them."""
    lines = [f"    {fault['field'] or '(message)'}: {fault['code']}: {fault['expected']}" for fault in faults]
    advices = dict.fromkeys(_advice(fault) for fault in faults)
    return lines + [f"    -> {advice}" for advice in advices if advice]


def _advice(fault: Told) -> str:
    """What to do about a fault; blank for a code that only a newer service knows."""
    known = {code.value: explanation.advice for code, explanation in EXPLANATIONS.items()}
    return known.get(fault["code"], "")


def _as_of(entry: Told) -> str:
    lines = [_head(entry)]
    known = entry["believed"]
    if known is None:
        since = second(entry["known_since"])
        return "\n".join([*lines, f"nothing can be told of then: the history begins at {since}"])
    lines.append(f"as of {second(entry['as_of'])}, both sides were believed to hold:")
    if known["deleted_at"]:
        lines.append(f"    nothing: deleted {second(known['deleted_at'])}")
    elif not known["columns"]:
        lines.append("    nothing: no decision had been made")
    for name, belief in known["columns"].items():
        changed, decided = second(belief["changed_at"]), second(belief["decided_at"])
        told = f"{belief['origin']}, changed {changed}, agreed {decided}"
        lines.append(f"    {name}: {value(belief['value'])}  ({told})")
    return "\n".join(lines)
