"""`tandem now`: how things stand, on one screen, for somebody who was just woken up (N-17)."""

import argparse
from collections.abc import Iterable
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command
from shared.ops.screen import counted, lasted, reached, second

_WHOSE = {"them": "the far side", "sender": "the sender's data", "us": "Tandem"}

_MOST = 6
"""How many causes, tickets and feeds fit on one screen."""

_GAPS = "gaps-"
"""How the gap detector's own watermarks begin, which bring nothing."""


def register(commands: Any) -> None:
    """Add the command."""
    command(commands, "now", now, "how things stand: messages, lanes, and whether the sum is right")


def now(service: Service, asked: argparse.Namespace) -> Answer:
    """How things stand; bad news when the sum is wrong."""
    del asked
    told = service.now()
    return told, screen, bool(told["conserved"])


def screen(told: Told) -> str:
    """Whether anything is lost, then what stands still and why, then how the rest flows."""
    lines = [
        *_sum(told),
        "",
        *_stopped(told),
        *_pauses(told),
        *_parked(told),
        *_owners(told),
        *_asked(told),
        "",
        *_flow(told),
        *_around(told),
    ]
    return "\n".join(lines)


def _sum(told: Told) -> Iterable[str]:
    if told["conserved"]:
        yield "Nothing is lost: every message has one outcome or a place in a lane."
    else:
        yield "THE SUM IS WRONG: these messages have no outcome and no place, or both."
        for stray in told["strays"]:
            has = [word for word in (stray["outcome"], stray["state"]) if word]
            yield f"  {stray['queue']}  message {stray['message_id']}  {' and '.join(has) or 'neither'}"
        yield f"  {told['unexplained']} in all. Stop no timer, purge nothing: docs/runbooks/tandem.md"
    for direction, outcomes in told["messages"].items():
        parts = "  ".join(f"{name} {count}" for name, count in sorted(outcomes.items())) or "nothing yet"
        yield f"  {direction:<9} received {told['received'][direction]:>5}  =  {parts}"


def _stopped(told: Told) -> Iterable[str]:
    if not told["stopped"]:
        yield "No lane is stopped by a failure."
        return
    heads = sum(group["heads"] for group in told["stopped"])
    behind = sum(group["followers"] for group in told["stopped"])
    yield f"Stopped: {counted(heads, 'message')}, {behind} more behind, by {_causes(told)}"
    for group in told["stopped"][:_MOST]:
        where = group["table"] + (f".{group['field']}" if group["field"] else "")
        next_step = "needs a person" if group["held"] else "goes on by itself"
        yield (
            f"  {group['group']}  {group['heads']} + {group['followers']} behind  {group['code']} on {where}"
            f"  for {lasted(group['for_seconds'])}  ({_WHOSE[group['whose']]}; {next_step}){_units(group)}"
        )
        yield f"    {group['cause']} -> {group['advice']}"
    more = f"and {len(told['stopped']) - _MOST} more; " if len(told["stopped"]) > _MOST else ""
    yield f"  {more}what to do, and which messages: tandem failures groups, tandem failures list"


def _pauses(told: Told) -> Iterable[str]:
    for pause in told["pauses"]:
        who, until, lasts = pause["identity"], second(pause["until"]), lasted(pause["for_seconds"])
        yield f"{who} asked us to slow down: nothing is sent to it until {until}, for {lasts}"


def _units(group: Told) -> str:
    """Which business units stand still, where they are told apart."""
    units = ", ".join(f"{size} of {name}" for name, size in sorted(group["units"].items()))
    return f"  {units}" if units else ""


def _causes(told: Told) -> str:
    return f"{counted(len(told['stopped']), 'cause')}:"


def _parked(told: Told) -> Iterable[str]:
    for entry in told["parked"][:_MOST]:
        system, _, kind = entry["entity"].partition(":")
        if kind == "acknowledgement":
            latency = next((one["latency"] or "?" for one in told["systems"] if one["system"] == system), "?")
            yield (
                f"Pending until {system} acknowledges ({latency}): {counted(entry['messages'], 'message')}; "
                "tandem imports"
            )
            continue
        keys = ", ".join(f"{top['key']} ({top['messages']})" for top in entry["top"])
        yield (
            f"Parked: {counted(entry['messages'], 'message')}, until {entry['keys']} of {entry['entity']} "
            f"come; most wait for {keys}"
        )


def _owners(told: Told) -> Iterable[str]:
    owners = told["owners"]
    if owners["unmatched"]:
        yield (
            f"Owners who are no user: {owners['unmatched']}, the first for "
            f"{lasted(owners['oldest_seconds'])}; records that wait for them {owners['waiting']}, "
            f"with somebody else meanwhile {owners['owed']}: tandem owners list"
        )


def _asked(told: Told) -> Iterable[str]:
    asked = told["asked"]
    if aside := told["states"].get("aside"):
        messages = counted(aside["count"], "message")
        yield f"Waiting for a person's decision: {messages} from the future; tandem failures list"
    if asked["conflicts"]:
        conflicts = counted(asked["conflicts"], "conflict")
        yield f"Waiting for a person's decision: {conflicts}; tandem conflicts list"
    if asked["matches"]:
        pairs = counted(asked["matches"], "pair")
        yield f"Waiting for a person's decision: {pairs} of customers who may be one; tandem customers list"


def _flow(told: Told) -> Iterable[str]:
    lag = told["lag"]
    if lag["messages"]:
        yield (
            f"Healthy traffic, last {lag['minutes']} minutes: {counted(lag['messages'], 'message')}, "
            f"half within {lag['p50_seconds']:.1f} s, 95 % within {lag['p95_seconds']:.1f} s"
        )
    else:
        yield f"Healthy traffic, last {lag['minutes']} minutes: none"
    states = told["states"]
    open_now = ", ".join(
        f"{state} {entry['count']} (oldest {lasted(entry['oldest_seconds'])})"
        for state, entry in states.items()
    )
    yield (
        f"Lanes open {told['lanes_open']}, held {told['lanes_held']}; waiting for their turn "
        f"{told['waiting']}, behind one that cannot go on {told['behind']}; "
        f"conflicts kept {told['conflicts']}"
    )
    if open_now:
        yield f"In lanes: {open_now}"


def _around(told: Told) -> Iterable[str]:
    tickets = told["tickets"]
    named = ", ".join(f"{entry['ticket']} ({entry['team']})" for entry in tickets[:_MOST])
    more = f" and {len(tickets) - _MOST} more" if len(tickets) > _MOST else ""
    yield f"Tickets open {len(tickets)}" + (f": {named}{more}" if named else "")
    compared = [feed["moved_seconds"] for feed in told["feeds"] if feed["feed"].startswith(_GAPS)]
    for feed in [feed for feed in told["feeds"] if not feed["feed"].startswith(_GAPS)][:_MOST]:
        yield f"Feed {feed['feed']}: brought something {lasted(feed['moved_seconds'])} ago"
    if last := [seconds for seconds in compared if seconds is not None]:
        yield f"Gap detector: {counted(len(compared), 'side')} compared, the last {lasted(min(last))} ago"
    yield f"To be expected: {', '.join(map(reached, told['systems']))}"
