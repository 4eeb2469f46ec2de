"""`tandem now`: how things stand, on one screen, for somebody who was just woken up (N-17)."""

import argparse
from collections.abc import Iterable
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command
from shared.ops.screen import lasted

_WHOSE = {"them": "the far side", "sender": "the sender's data", "us": "Tandem"}

_MOST = 6
"""How many causes and feeds fit on one screen."""


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
        *_parked(told),
        *_owners(told),
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
    yield f"Stopped: {heads} messages, {behind} more behind them, by {_causes(told)}"
    for group in told["stopped"][:_MOST]:
        where = group["table"] + (f".{group['field']}" if group["field"] else "")
        next_step = "needs a person" if group["held"] else "goes on by itself"
        yield (
            f"  {group['group']}  {group['heads']} + {group['followers']} behind  {group['code']} on {where}"
            f"  for {lasted(group['for_seconds'])}  ({_WHOSE[group['whose']]}; {next_step}){_units(group)}"
        )
        yield f"    {group['cause']} -> {group['advice']}"
    if len(told["stopped"]) > _MOST:
        yield f"  and {len(told['stopped']) - _MOST} more: tandem failures list"


def _units(group: Told) -> str:
    """Which business units stand still, where they are told apart."""
    units = ", ".join(f"{size} of {name}" for name, size in sorted(group["units"].items()))
    return f"  {units}" if units else ""


def _causes(told: Told) -> str:
    count = len(told["stopped"])
    return "1 cause:" if count == 1 else f"{count} causes:"


def _parked(told: Told) -> Iterable[str]:
    for entry in told["parked"][:_MOST]:
        system, _, kind = entry["entity"].partition(":")
        if kind == "acknowledgement":
            latency = next((one["latency"] for one in told["systems"] if one["system"] == system), "?")
            yield (
                f"Pending: {entry['messages']} messages wait until {system} acknowledges them "
                f"({latency}): tandem imports"
            )
            continue
        keys = ", ".join(f"{top['key']} ({top['messages']})" for top in entry["top"])
        yield f"Parked: {entry['messages']} messages wait for {entry['keys']} of {entry['entity']}: {keys}"


def _owners(told: Told) -> Iterable[str]:
    owners = told["owners"]
    if owners["unmatched"]:
        yield (
            f"Owners: {owners['unmatched']} are no user, the first for {lasted(owners['oldest_seconds'])}; "
            f"{owners['waiting']} records wait for them, {owners['owed']} belong to somebody else meanwhile: "
            "tandem owners list"
        )


def _flow(told: Told) -> Iterable[str]:
    lag = told["lag"]
    if lag["messages"]:
        yield (
            f"Healthy traffic, last {lag['minutes']} minutes: {lag['messages']} messages, half within "
            f"{lag['p50_seconds']:.1f} s, 95 % within {lag['p95_seconds']:.1f} s"
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
        f"{told['waiting']}, behind a failure {told['behind']}; conflicts kept {told['conflicts']}"
    )
    if open_now:
        yield f"In lanes: {open_now}"


def _around(told: Told) -> Iterable[str]:
    tickets = told["tickets"]
    named = ", ".join(f"{entry['ticket']} ({entry['team']})" for entry in tickets[:_MOST])
    yield f"Tickets open {len(tickets)}" + (f": {named}" if named else "")
    for feed in told["feeds"][:_MOST]:
        yield f"Feed {feed['feed']}: brought something {lasted(feed['moved_seconds'])} ago"
    systems = ", ".join(
        f"{entry['system']}: {entry['latency']}, by {entry['way']}" for entry in told["systems"]
    )
    yield f"To be expected: {systems}"
