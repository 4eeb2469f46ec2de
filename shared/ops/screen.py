"""Answers on one screen: aligned text for a person who is tired, the worst first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Told = Mapping[str, Any]


def now(told: Told) -> str:
    """How things stand."""
    lines = [
        "Every message has one outcome or a place in a lane." if told["conserved"] else "THE SUM IS WRONG:"
    ]
    for direction, outcomes in told["messages"].items():
        parts = "  ".join(f"{name} {count}" for name, count in sorted(outcomes.items())) or "nothing yet"
        lines.append(f"  {direction:<9} received {told['received'][direction]:>5}  =  {parts}")
    if not told["conserved"]:
        lines.append(f"  {told['unexplained']} messages have neither outcome nor place, or both")
    lines.append(
        f"Lanes open {told['lanes_open']}, held {told['lanes_held']}; "
        f"waiting for their turn {told['waiting']}, behind a failure {told['behind']}; "
        f"conflicts kept {told['conflicts']}"
    )
    return "\n".join(lines)


def failures(told: Told) -> str:
    """Groups first, then the failures themselves, then what was refused at the gate."""
    if not told["failures"] and not told["rejected"]:
        return "Nothing is failing."
    lines: list[str] = []
    for group in told["groups"]:
        ticket = f"ticket {group['ticket']}" if group["ticket"] else "no ticket yet"
        lines.append(
            f"group {group['group']}  {group['open']} x {group['code']} on {group['table']}  ({ticket})"
        )
        lines.append(f"  {group['cause']} Rule: {group['rule']}")
        lines.append(f"  -> {group['advice']}")
    if told["failures"]:
        lines += [
            "",
            *_table(
                ("message", "subject", "state", "code", "tries", "next try", "behind it"), _failing(told)
            ),
        ]
    if told["rejected"]:
        lines += ["", "Refused at the gate (the sender's to correct)"]
        lines += _table(("message", "subject", "code", "field", "rule"), _refused(told))
    return "\n".join(lines).strip()


def record(told: Told) -> str:
    """The history of a record, or of each record an id may mean."""
    parts = [_one_record(entry) for entry in told["records"]]
    parts += [_refusal(entry) for entry in told["messages"]]
    return "\n\n".join(parts)


def replayed(told: Told) -> str:
    """What a replay did."""
    words = {
        "queued": "goes on in its lane now",
        "readmit": f"went through the gate again: {told['outcome'] or 'admitted'}",
        "finished": f"had gone through already: {told['outcome']}; nothing was done",
        "purged": "cannot be sent again: its body is no longer kept",
    }
    return f"{told['messageId']}: {words.get(told['done'], told['done'])}"


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


def _failing(told: Told) -> list[Sequence[str]]:
    return [
        (
            entry["message_id"],
            entry["subject"] or "",
            entry["state"],
            entry["code"],
            str(entry["attempts"]),
            (entry["next_retry_at"] or "a person")[:19],
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


def _table(head: Sequence[str], rows: list[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
