"""Plans on one screen: what would happen, how far it is, what became of it, and what to type next."""

from collections.abc import Iterable
from typing import Any

from shared.ops.command import Told
from shared.ops.screen import lasted, second, table

_LISTED = 10
_FEW = 3
_WORDS = {
    "applied": "would be written",
    "merged": "would be written in part, the other side has newer columns",
    "echo": "would change nothing",
    "stale": "would change nothing, newer is known",
    "conflict": "meet a newer edit on the other side",
    "superseded": "would be left out, a later message says all of it",
    "rejected": "would be refused again",
    "fails": "would fail again",
    "parked": "would wait for a parent",
    "behind": "would wait behind a failure",
    "unknown": "could not be foreseen, the far side did not answer",
}
_NEXT = {
    "frozen": "It is being foreseen. Look again: tandem replay show {plan} --follow",
    "ready": "Next: tandem replay run {plan}    (5 records first, read back; stops at 1 % failures)",
    "running": "Follow it: tandem replay show {plan} --follow    Halt it: tandem replay pause {plan}",
    "paused": "Nothing is sent. Go on: tandem replay resume {plan}    Give up: tandem replay cancel {plan}",
    "stopped": (
        "Nothing more is sent. Why: tandem replay report {plan}\n"
        "Cause removed? tandem replay resume {plan}    Give up: tandem replay cancel {plan}"
    ),
    "cancelled": "What it did: tandem replay report {plan}",
    "finished": "What it did: tandem replay report {plan}",
}


def plans(told: Told) -> str:
    """The newest plans."""
    if not told["plans"]:
        return "No plans yet. Make one: tandem replay plan --group <group>"
    rows = [
        (
            str(each["plan"]),
            each["state"],
            second(each["created_at"]),
            each["created_by"],
            _selection(each["selection"]),
            each["reason"] or "",
        )
        for each in told["plans"]
    ]
    return "\n".join(table(("plan", "state", "made", "by", "takes", "why it stopped"), rows))


def prediction(told: Told) -> str:
    """A new plan: what it would do."""
    if not told["heads"]["selected"]:
        everything = told["selection"]["everything"]
        why = "is failing" if everything else f"that fails fits {_selection(told['selection'])}"
        return f"Plan {told['plan']} is empty: nothing {why}."
    return "\n".join((*_foreseen(told), *_next(told)))


def plan(told: Told) -> str:
    """A plan: how far it is; what was foreseen while it has not begun."""
    lines = [progress(told)]
    if told["reason"]:
        lines.append(f"Why: {told['reason']}")
    if told["started_at"] is None:
        lines += _foreseen(told)[1:]
    else:
        lines += _fates(told)
    return "\n".join((*lines, *_next(told)))


def moved(told: Told) -> str:
    """What a plan is after a person's order."""
    return "\n".join((progress(told), *_next(told)))


def progress(told: Told) -> str:
    """One line: where a plan stands."""
    decided, selected = _decided(told), _selected(told)
    way = told["heads"]["sent"] + told["followers"]["sent"]
    left = told["heads"]["waiting"] + told["followers"]["waiting"]
    wave = "canary" if told["wave"] == 0 else f"wave {told['wave']}"
    where = "" if told["started_at"] is None else f", {wave}"
    return (
        f"Plan {told['plan']} is {told['state']}{where}: {decided} of {selected} messages decided, "
        f"{way} on their way, {left} to come"
    )


def report(told: Told) -> str:
    """What became of every message: counts that add up, then what a person has to look at."""
    state = told["state"]
    lines = [f"Plan {told['plan']} is {state}. Takes {_selection(told['selection'])}."]
    lines.append(f"Made {second(told['created_at'])} by {told['created_by']}" + _run_by(told))
    if told["reason"]:
        lines.append(f"Why: {told['reason']}")
    lines += _fates(told)
    if not told["adds_up"]:
        lines.append("THE SUM IS WRONG: a message is missing or counted twice.")
    if told["read_back"]:
        read = ", ".join(f"{size} {name}" for name, size in sorted(told["read_back"].items()))
        lines.append(f"Canary, read back from the far side: {read}")
    lines += _later(told["later"])
    for fate, title in (
        ("held", "Still held: correct and replay, or skip"),
        ("rejected", "Refused again"),
        ("conflict", "Met a newer edit; the losing value is kept"),
        ("skipped", "Skipped by a person"),
        ("superseded", "Left out, a later message said all of it"),
    ):
        lines += _messages(title, told["listed"][fate], told)
    return "\n".join((*lines, *(_next(told) if state not in {"finished", "cancelled"} else ())))


def _foreseen(told: Told) -> list[str]:
    heads, followers = told["heads"]["selected"], told["followers"]["selected"]
    chosen = f"{heads} failures of {told['records']} records, and {followers} messages that wait behind them"
    lines = [f"Plan {told['plan']}: {chosen}. Nothing is sent yet."]
    known = told["foreseen"]
    if known is None or "cost" not in known:
        return lines
    for part in ("heads", "followers"):
        for says, size in sorted(known["says"][part].items(), key=lambda each: -each[1]):
            lines.append(
                f"  {size:>6} {'failures' if part == 'heads' else 'followers':<9} {_WORDS.get(says, says)}"
            )
    writes = ", ".join(f"{size} to {name}" for name, size in sorted(known["writes"].items())) or "none"
    lines.append(f"Writes: {writes}, if the far side takes them")
    levels = " then ".join(str(size) for size in known["levels"])
    lines.append(f"Order: {levels} records, parents before children; within a record as it happened")
    cost = known["cost"]
    lines.append(
        f"Cost: about {cost['requests']} requests, {lasted(cost['seconds'])} at {cost['rate']:g} records/s "
        f"(granted {cost['granted']} per {lasted(cost['window'])}, live traffic takes {cost['live']})"
    )
    lines += _conflicts(known["conflicts"])
    for each in known["fails"]["listed"][:_LISTED]:
        lines.append(f"  will not go through: {each['message_id']}  {each['reason']}")
    lines += _more(known["fails"]["messages"])
    return lines


def _conflicts(told: Told) -> list[str]:
    if not told["records"]:
        return []
    lines = [f"{told['records']} records were changed on the other side, too:"]
    for record in told["listed"][:_LISTED]:
        for message in record["messages"]:
            kept = ", ".join(
                f"{each['column']}: {each['winner']} wins ({each['rule']})" for each in message["columns"]
            )
            lines.append(f"  {message['subject']}  {kept or message['reason']}")
    return lines + _more(told["records"])


def _fates(told: Told) -> list[str]:
    fates = sorted({*told["heads"]["fates"], *told["followers"]["fates"]})
    rows = []
    for part in ("heads", "followers"):
        counted = told[part]
        open_ones = [str(counted[name]) for name in ("sent", "waiting")]
        name = "failures" if part == "heads" else "followers"
        rows.append(
            (
                name,
                *(str(counted["fates"].get(fate, 0)) for fate in fates),
                *open_ones,
                f"= {counted['selected']}",
            )
        )
    return table(("", *fates, "on their way", "to come", "selected"), rows)


def _later(told: Told) -> list[str]:
    lines = []
    if told["failures"]:
        groups = ", ".join(f"{size} in {group}" for group, size in sorted(told["groups"].items()))
        lines.append(
            f"NOT in this plan: {told['failures']} failures that came later ({groups}). "
            "Make a new plan for them."
        )
    if told["messages"]:
        lines.append(
            f"Not in this plan: {told['messages']} later messages of its records; they follow by themselves."
        )
    return lines


def _messages(title: str, listed: list[dict[str, Any]], told: Told) -> list[str]:
    if not listed:
        return []
    few = _LISTED if title.startswith(("Still", "Refused")) else _FEW
    lines = [f"{title}:"]
    lines += [
        f"  {each['message_id'] or '(no longer kept)'}  {each['subject'] or ''}  {each['reason'] or ''}"
        for each in listed[:few]
    ]
    if len(listed) > few:
        lines.append(f"  and more: tandem replay report {told['plan']} --json")
    return lines


def _more(total: int) -> list[str]:
    return [f"  and {total - _LISTED} more"] if total > _LISTED else []


def _next(told: Told) -> Iterable[str]:
    yield _NEXT[told["state"]].format(plan=told["plan"])


def _run_by(told: Told) -> str:
    if told["started_at"] is None:
        return ", never run"
    ended = f", over {second(told['ended_at'])}" if told["ended_at"] else ""
    return f"; run {second(told['started_at'])} by {told['started_by']}{ended}"


def _decided(told: Told) -> int:
    return sum(sum(told[part]["fates"].values()) for part in ("heads", "followers"))


def _selected(told: Told) -> int:
    return int(told["heads"]["selected"] + told["followers"]["selected"])


def _selection(told: Told) -> str:
    parts = [
        f"{name} {', '.join(told[name])}"
        for name in ("groups", "systems", "entities", "records")
        if told[name]
    ]
    parts += [f"{name} {second(told[name])}" for name in ("since", "until") if told[name]]
    return "; ".join(parts) or "everything that fails"
