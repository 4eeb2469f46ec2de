"""`tandem owners`: record owners who are no user in Dataverse, what waits for them, and who is meant."""

import argparse
from collections.abc import Mapping
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family, why
from shared.ops.screen import counted, second, table

_WHY = {
    "unknown": "no user has this name",
    "disabled": "the user is disabled",
    "ambiguous": "several users have this name",
}


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "owners", "record owners who are no user, and who waits for them")
    command(mine, "list", owners_list, "unmatched owners with counts per object, aliases, what is laid down")
    alias = command(mine, "alias", owners_alias, "say which user is meant by an owner's name")
    _who(alias)
    alias.add_argument("user", help="the address of the user who is meant")
    alias.add_argument("--reason", required=True, type=why, help="why; kept with the alias")
    unalias = command(mine, "unalias", owners_unalias, "take an alias away")
    _who(unalias)
    unalias.add_argument("--reason", required=True, type=why, help="why; kept in the audit")


def _who(added: argparse.ArgumentParser) -> None:
    added.add_argument("system", help="the legacy system")
    added.add_argument("name", help="the owner's name or address as that system writes it")


def owners_list(service: Service, asked: argparse.Namespace) -> Answer:
    """Everybody who is no user."""
    del asked
    return service.get("ops/record-owners"), listed, True


def owners_alias(service: Service, asked: argparse.Namespace) -> Answer:
    """Say who is meant."""
    names = ("system", "name", "user", "reason")
    sent = {name: getattr(asked, name) for name in names}
    return service.post("ops/record-owners/aliases", sent), aliased, True


def owners_unalias(service: Service, asked: argparse.Namespace) -> Answer:
    """Take back who is meant."""
    sent = {"system": asked.system, "name": asked.name, "user": "", "reason": asked.reason}
    return service.post("ops/record-owners/aliases", sent), aliased, True


def listed(told: Told) -> str:
    """A line per unmatched owner, then the aliases, then what is laid down for new records."""
    lines = ["Every owner is a user."]
    if told["unmatched"]:
        head = ("system", "owner", "what is in the way", "since", "wait", "belong to somebody else")
        lines = table(head, [_unmatched(entry) for entry in told["unmatched"]])
    if told["aliases"]:
        head = ("system", "alias", "is", "said by", "since", "why")
        lines += ["", *table(head, [_alias(entry) for entry in told["aliases"]])]
    rows = [(each["system"], each["entity"], _laid_down(each)) for each in told["policies"]]
    return "\n".join([*lines, "", *table(("system", "entity", "new records of an unmatched owner"), rows)])


def _unmatched(entry: Told) -> tuple[str, ...]:
    return (
        entry["system"],
        entry["name"] or entry["owner"],
        _WHY[entry["why"]],
        second(entry["since"], "?"),
        _counts(entry["waiting"]),
        _counts(entry["owed"]),
    )


def _counts(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{size} {entity}" for entity, size in sorted(sizes.items())) or "-"


def _alias(entry: Told) -> tuple[str, ...]:
    who, user = entry["name"] or entry["owner"], entry["user"] or "(hidden)"
    return (entry["system"], who, user, entry["set_by"], second(entry["set_at"], "?"), entry["reason"])


def _laid_down(entry: Told) -> str:
    return "wait" if entry["new_records"] == "wait" else f"go to {entry['fallback'] or 'Tandem itself'}"


def aliased(told: Told) -> str:
    """What follows from it."""
    if not told["set"]:
        return f"{told['owner']} has no alias any more."
    return f"{told['owner']} is known now; {counted(told['records'], 'record')} to go on."
